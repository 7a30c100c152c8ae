/**
 * The consumer's configuration.
 */
import { z } from "zod";
import { sharedConfigFields } from "../core/config.ts";
import { OUTCOME_RETENTION_MS } from "../core/limits.ts";

export const consumerConfigSchema = z.object({
  ...sharedConfigFields,
  /** Name in the consumer group; must differ between processes. Default: host name and a random part. */
  MILLRACE_CONSUMER: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,128}$/)
    .optional(),
  /** A consumer that is not heard of for so long loses its partitions. */
  MILLRACE_LEASE_MS: z.coerce.number().int().min(300).max(60_000).default(3000),
  /** Applied commands stay in the log for so long, to heal a store from. */
  MILLRACE_LOG_RETENTION_S: z.coerce
    .number()
    .int()
    .min(1)
    .max(OUTCOME_RETENTION_MS / 1000)
    .default(3600),
  /** Applied commands beyond this many, per partition, are trimmed before that. */
  MILLRACE_LOG_MAX_ENTRIES: z.coerce.number().int().min(1000).default(1_000_000),
  /** Restoring to a point in time: what was accepted later stays in the log and is not applied. ISO 8601. */
  MILLRACE_APPLY_UNTIL: z.iso
    .datetime({ offset: true, error: "is a time such as 2026-11-21T16:40:00.000Z" })
    .transform((time) => Date.parse(time))
    .optional(),
  MILLRACE_TRIM_EVERY_MS: z.coerce.number().int().min(50).default(5000),
});

export type ConsumerConfig = z.output<typeof consumerConfigSchema>;
