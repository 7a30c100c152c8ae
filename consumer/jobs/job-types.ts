/** All types of job, by name. */
import { deleteKeys } from "./delete-keys.ts";
import type { JobType } from "./job-type.ts";

export const JOB_TYPES: ReadonlyMap<string, JobType> = new Map([deleteKeys].map((each) => [each.type, each]));
