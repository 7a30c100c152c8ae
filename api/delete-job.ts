/**
 * Making the job that deletes keys: what it may delete is fixed when it is accepted.
 */
import { z } from "zod";
import { DELETE_JOB } from "../core/delete-job.ts";
import { unavailable } from "../core/errors.ts";
import { KEY_MAX_BYTES } from "../core/limits.ts";
import { partitionsOf } from "../core/partition.ts";
import type { AppDependencies } from "./dependencies.ts";
import type { NewJob } from "./jobs.ts";
import { NAMESPACE_PATTERN } from "./key-path.ts";

/** `POST /v1/jobs`. */
export const deleteRequestSchema = z.strictObject({
  type: z.literal(DELETE_JOB),
  namespace: z.string().regex(NAMESPACE_PATTERN, "is not a namespace"),
  /** Empty: all keys. */
  prefix: z.string().refine(isPrefix, `is longer than a key, or no Unicode text`),
});

/**
 * @param settings the namespace's settings, too
 * @throws OperatingError when the log cannot say for sure how far it is
 */
export async function deleteJob(
  deps: AppDependencies,
  parameters: { readonly namespace: string; readonly prefix: string; readonly settings?: true },
): Promise<NewJob> {
  const concerned = new Set(partitionsOf(parameters.namespace, deps.partitions));
  if (parameters.settings) concerned.add(deps.system.partition);
  const upTo = await Promise.all(
    [...concerned].map(async (partition) => {
      // Confirmed: a deposed master's log ends too early, and keys would stay.
      const { lastId } = await deps.log.confirmedPosition(partition).catch(unavailable("log-unavailable"));
      return [partition, lastId] as const;
    }),
  );
  return { type: DELETE_JOB, parameters, basis: { upTo: Object.fromEntries(upTo) } };
}

function isPrefix(text: string): boolean {
  return text.isWellFormed() && new TextEncoder().encode(text).byteLength <= KEY_MAX_BYTES;
}
