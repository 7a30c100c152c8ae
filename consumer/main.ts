/**
 * Entry point of a consumer.
 */
import { parseConfig } from "../core/config.ts";
import { describeError } from "../core/errors.ts";
import { createLogger } from "../core/logger.ts";
import { runUntilSignal } from "../core/service.ts";
import { consumerConfigSchema } from "./config.ts";
import { buildConsumer } from "./service.ts";

try {
  const config = parseConfig(consumerConfigSchema, process.env);
  const logger = createLogger("consumer", config.MILLRACE_LOG_LEVEL);
  const fail = () => {
    process.exitCode = 1;
    process.kill(process.pid, "SIGTERM");
  };
  await runUntilSignal(buildConsumer(config, logger, fail), logger);
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  process.exitCode = 1;
}
