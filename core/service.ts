/**
 * The life of a process: start, run until a signal, stop in order, leave.
 */
import type { Logger } from "pino";
import { describeError } from "./errors.ts";

/** Something that runs until it is told to stop. */
export interface Service {
  /** Begins; resolves when it has begun, which need not mean that what it depends on is there. */
  start(): Promise<void>;
  /** Finishes what is in flight and lets go. Idempotent, and safe before {@link start}. */
  stop(): Promise<void>;
}

/** A stop that takes longer is cut off: what is then unfinished is healed by whoever takes over. */
export const STOP_MAX_MS = 15_000;

/**
 * Starts the service; SIGTERM or SIGINT stops it. The process then ends by itself, because nothing is left open; it is
 * ended only when stopping takes too long (exit code 1) or starting failed (exit code 1).
 */
export async function runUntilSignal(service: Service, logger: Logger): Promise<void> {
  let stopping = false;
  const stop = (signal: string) => {
    if (stopping) return;
    stopping = true;
    logger.info({ signal }, "stopping");
    const deadline = setTimeout(() => {
      logger.error("stopping took too long");
      process.exit(1);
    }, STOP_MAX_MS);
    deadline.unref();
    service.stop().then(
      () => logger.info("stopped"),
      (error: unknown) => {
        logger.error({ error: describeError(error) }, "stopping failed");
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  try {
    await service.start();
  } catch (error) {
    logger.fatal({ error: describeError(error) }, "cannot start");
    process.exitCode = 1;
    stop("start failed");
  }
}
