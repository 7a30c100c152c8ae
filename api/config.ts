/**
 * The api's configuration.
 */
import { z } from "zod";
import { port, sharedConfigFields } from "../core/config.ts";
import { BACKLOG_MAX_COMMANDS, CONNECTIONS_MAX } from "../core/limits.ts";

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/;

export const apiConfigSchema = z
  .object({
    ...sharedConfigFields,
    PORT: port.default(8080),
    MILLRACE_HOST: z.string().min(1).default("127.0.0.1"),
    /** There are no tokens yet: whoever reaches the port may read and write everything. */
    MILLRACE_ALLOW_ANONYMOUS: z.enum(["true", "false"]).default("false"),
    /** How long a write may take to be in the log. */
    MILLRACE_APPEND_TIMEOUT_MS: z.coerce.number().int().min(50).max(60_000).default(2000),
    /** Commands of one partition that may be accepted and not yet applied. */
    MILLRACE_BACKLOG_MAX: z.coerce.number().int().min(1).default(BACKLOG_MAX_COMMANDS),
    /** Open connections of clients. */
    MILLRACE_CONNECTIONS_MAX: z.coerce.number().int().min(1).default(CONNECTIONS_MAX),
  })
  .refine((config) => LOOPBACK.test(config.MILLRACE_HOST) || config.MILLRACE_ALLOW_ANONYMOUS === "true", {
    path: ["MILLRACE_HOST"],
    message: "is not loopback: without tokens that takes MILLRACE_ALLOW_ANONYMOUS=true",
  });

export type ApiConfig = z.output<typeof apiConfigSchema>;
