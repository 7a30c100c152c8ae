/**
 * The job that deletes the keys of a namespace that begin with a prefix, and with `settings` what is set for the namespace.
 */
import { z } from "zod";

export const DELETE_JOB = "delete";

export const deleteParametersSchema = z.object({
  namespace: z.string(),
  /** Empty: all keys. */
  prefix: z.string(),
  settings: z.boolean().optional(),
});

/** By partition, the last command in its log when the job was accepted: what was written behind it stays. */
export const deleteBasisSchema = z.object({ upTo: z.record(z.string(), z.string()) });

const counts = {
  deleted: z.number(),
  /** Written after the job was accepted, or by somebody else while it ran: they stay as they are. */
  kept: z.number(),
  /** Could not be deleted: they are dead letters. */
  failed: z.number(),
} as const;

const partitionProgressSchema = z.object({
  /** The last key that is settled; null: none yet. */
  after: z.string().nullable(),
  done: z.boolean(),
  ...counts,
});

export const deleteProgressSchema = z.object({
  ...counts,
  /** By partition; those not begun are not there. */
  partitions: z.record(z.string(), partitionProgressSchema),
});

export type DeleteProgress = z.output<typeof deleteProgressSchema>;
export type PartitionProgress = z.output<typeof partitionProgressSchema>;

export const NOTHING_DELETED: DeleteProgress = { deleted: 0, kept: 0, failed: 0, partitions: {} };
