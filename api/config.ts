/**
 * The api's configuration.
 */
import { z } from "zod";
import { port, sharedConfigFields } from "../core/config.ts";
import { BACKLOG_MAX_COMMANDS, CONNECTIONS_MAX, IDEMPOTENCY_KEYS_MAX } from "../core/limits.ts";
import { corsOrigins } from "./cors.ts";
import { rateLimit } from "./rate-limits.ts";

const JWT_VARIABLES = ["MILLRACE_JWKS_URL", "MILLRACE_JWT_ISSUER", "MILLRACE_JWT_AUDIENCE"] as const;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/;

export const apiConfigSchema = z
  .object({
    ...sharedConfigFields,
    PORT: port.default(8080),
    MILLRACE_HOST: z.string().min(1).default("127.0.0.1"),
    /** Without tokens: whoever reaches the port may read and write everything. */
    MILLRACE_ALLOW_ANONYMOUS: z.enum(["true", "false"]).default("false"),
    /** Who may do what, by bearer token; see tokens.ts. */
    MILLRACE_TOKENS_FILE: z.string().optional(),
    /** JWTs as bearer tokens: where their keys are, and whose and for whom they must be. */
    MILLRACE_JWKS_URL: z.url({ protocol: /^https?$/ }).optional(),
    MILLRACE_JWT_ISSUER: z.string().optional(),
    MILLRACE_JWT_AUDIENCE: z.string().optional(),
    /** Of whoever has no limit of his own. */
    MILLRACE_RATE_LIMIT: rateLimit.optional(),
    /** Origins whose pages may ask. */
    MILLRACE_CORS_ORIGINS: corsOrigins.optional(),
    /** How long a write may take to be in the log. */
    MILLRACE_APPEND_TIMEOUT_MS: z.coerce.number().int().min(50).max(60_000).default(2000),
    /** Commands of one partition that may be accepted and not yet applied. */
    MILLRACE_BACKLOG_MAX: z.coerce.number().int().min(1).default(BACKLOG_MAX_COMMANDS),
    /** Idempotency keys that one partition may know. */
    MILLRACE_IDEMPOTENCY_KEYS_MAX: z.coerce.number().int().min(1).default(IDEMPOTENCY_KEYS_MAX),
    /** Open connections of clients. */
    MILLRACE_CONNECTIONS_MAX: z.coerce.number().int().min(1).default(CONNECTIONS_MAX),
  })
  .superRefine((config, context) => {
    const fault = (path: keyof typeof config, message: string) =>
      context.addIssue({ code: "custom", path: [path], message });
    const missing = JWT_VARIABLES.filter((name) => config[name] === undefined);
    if (missing.length < JWT_VARIABLES.length) {
      for (const name of missing)
        fault(name, "is missing: JWTs take all of MILLRACE_JWKS_URL, …_JWT_ISSUER, …_JWT_AUDIENCE");
    }
    const anonymous = config.MILLRACE_ALLOW_ANONYMOUS === "true";
    if (config.MILLRACE_TOKENS_FILE !== undefined || missing.length === 0) {
      if (anonymous) fault("MILLRACE_ALLOW_ANONYMOUS", "is true, although tokens are configured");
    } else if (!anonymous && !LOOPBACK.test(config.MILLRACE_HOST)) {
      fault("MILLRACE_HOST", "is not loopback: without tokens that takes MILLRACE_ALLOW_ANONYMOUS=true");
    }
  });

export type ApiConfig = z.output<typeof apiConfigSchema>;
