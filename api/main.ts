/**
 * Entry point of the api.
 */
import { randomBytes } from "node:crypto";
import { parseConfig } from "../core/config.ts";
import { describeError } from "../core/errors.ts";
import { createLogger } from "../core/logger.ts";
import { runUntilSignal } from "../core/service.ts";
import { apiConfigSchema } from "./config.ts";
import { buildApi } from "./service.ts";

try {
  const config = parseConfig(apiConfigSchema, process.env);
  const logger = createLogger("api", config.MILLRACE_LOG_LEVEL);
  const fail = () => {
    process.exitCode = 1;
    process.kill(process.pid, "SIGTERM");
  };
  await runUntilSignal(buildApi(config, randomBytes(6).toString("hex"), logger, fail), logger);
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  process.exitCode = 1;
}
