/**
 * What the api and the consumer are both configured with: environment variables, read once, checked together.
 */
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { z } from "zod";
import { PARTITIONS_MAX } from "./limits.ts";
import { LOG_LEVELS } from "./logger.ts";
import { parseRedisUrl } from "./redis/url.ts";

const redisUrl = z.string().transform((text, context) => {
  try {
    return parseRedisUrl(text);
  } catch (error) {
    context.addIssue({ code: "custom", message: error instanceof Error ? error.message : "not a Redis URL" });
    return z.NEVER;
  }
});

/** The name of a file with a certificate in PEM becomes its content. */
const certificateFile = z.string().transform((file, context) => {
  try {
    const pem = readFileSync(file, "utf8");
    new X509Certificate(pem);
    return pem;
  } catch {
    context.addIssue({ code: "custom", message: "is not a readable file with a certificate in PEM" });
    return z.NEVER;
  }
});

export const port = z.coerce.number().int().min(0).max(65535);

export const sharedConfigFields = {
  /** The log's Redis. */
  LOG_URL: redisUrl,
  /** The store's Redis. */
  STORE_URL: redisUrl,
  /** With `rediss`: who has signed the certificates of both, and of the Sentinels. Default: whom Node believes. */
  MILLRACE_REDIS_CA_FILE: certificateFile.optional(),
  /** Fixed when the data is first written; see docs. */
  MILLRACE_PARTITIONS: z.coerce.number().int().min(1).max(PARTITIONS_MAX).default(16),
  /** Live, ready and metrics: never on a public port. */
  OPS_PORT: port.default(9464),
  MILLRACE_OPS_HOST: z.string().min(1).default("127.0.0.1"),
  MILLRACE_LOG_LEVEL: z.enum(LOG_LEVELS).default("info"),
} as const;

/**
 * @returns the checked configuration, frozen
 * @throws Error that names every wrong variable, one a line, without its value
 */
export function parseConfig<Schema extends z.ZodType>(
  schema: Schema,
  environment: Record<string, string | undefined>,
): Readonly<z.output<Schema>> {
  // An empty variable means an unset one: compose files and manifests write both.
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ""));
  const parsed = schema.safeParse(given);
  if (parsed.success) return Object.freeze(parsed.data) as Readonly<z.output<Schema>>;
  const faults = parsed.error.issues.map((issue) => `  ${issue.path.join(".")}: ${issue.message}`);
  throw new Error(`configuration:\n${faults.join("\n")}`);
}
