import { resolve } from "node:path";
import { z } from "zod";
import { parseConfig } from "../../core/config.ts";
import { repoRoot } from "./repo-root.ts";

const CONSUMERS = 2;
const usablePort = z.coerce.number().int().min(1);

const schema = z
  .object({
    /** Of the API. */
    PORT: usablePort.max(65_535).default(8080),
    /** Of the API's live, ready and metrics; the consumers take the next ones. */
    OPS_PORT: usablePort.max(65_535 - CONSUMERS).default(9464),
    /** Where the data is kept between runs. */
    MILLRACE_DATA: z.string().default(".millrace"),
  })
  .refine(({ PORT, OPS_PORT }) => PORT < OPS_PORT || PORT > OPS_PORT + CONSUMERS, {
    path: ["PORT"],
    message: "must not be one of the ops ports",
  });

export interface LocalConfig {
  readonly port: number;
  readonly opsPort: number;
  /** One for each consumer. */
  readonly consumerOpsPorts: readonly number[];
  readonly dataFolder: string;
}

/** Throws an error that names every wrong variable. */
export function readLocalConfig(environment: NodeJS.ProcessEnv): LocalConfig {
  const { PORT, OPS_PORT, MILLRACE_DATA } = parseConfig(schema, environment);
  return {
    port: PORT,
    opsPort: OPS_PORT,
    consumerOpsPorts: Array.from({ length: CONSUMERS }, (_, index) => OPS_PORT + 1 + index),
    dataFolder: resolve(repoRoot, MILLRACE_DATA),
  };
}
