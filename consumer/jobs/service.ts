/**
 * The running of jobs, put together.
 */
import type { Logger } from "pino";
import type { Appender } from "../../core/appender.ts";
import { LOG_MEMORY_ADMIT_SHARE } from "../../core/limits.ts";
import type { Log } from "../../core/log.ts";
import { type LogMemoryWatch, shareOf } from "../../core/log-memory.ts";
import type { Store } from "../../core/store.ts";
import { systemPartition } from "../../core/system-keys.ts";
import type { Coordinator } from "../coordinator.ts";
import { JobBoard } from "./job-board.ts";
import { JobCommands } from "./job-commands.ts";
import { JobRunner } from "./job-runner.ts";
import { JOB_TYPES } from "./job-types.ts";

export interface JobsDependencies {
  readonly partitions: number;
  readonly consumer: string;
  /** New at every start of the process. */
  readonly producer: string;
  readonly log: Log;
  readonly store: Store;
  readonly appender: Appender;
  readonly coordinator: Pick<Coordinator, "workers">;
  readonly logMemory: Pick<LogMemoryWatch, "last">;
  readonly logger: Logger;
}

export function buildJobs(deps: JobsDependencies): JobRunner {
  const { partitions, consumer, producer, log, store, appender, coordinator, logMemory, logger } = deps;
  const commands = new JobCommands({ appender, store, grade: () => log.defaultGrade, now: Date.now });
  const partition = systemPartition(partitions);
  return new JobRunner({
    board: new JobBoard(store, commands, partitions),
    tools: { partitions, store, commands },
    types: JOB_TYPES,
    runner: `${consumer}/${producer}`,
    applied: () => {
      const worker = coordinator.workers.get(partition);
      return worker ? (worker.word.reached?.ordinal ?? 0) : null;
    },
    hasRoom: () => logMemory.last === null || shareOf(logMemory.last) < LOG_MEMORY_ADMIT_SHARE,
    logger,
    now: Date.now,
  });
}
