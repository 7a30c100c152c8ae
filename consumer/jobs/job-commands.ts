/**
 * Puts commands of jobs in the log, and waits until they are applied.
 */
import type { Appender } from "../../core/appender.ts";
import type { Condition, Operation, Result } from "../../core/command.ts";
import { compareIds, type EntryId, ID_ZERO } from "../../core/entry-id.ts";
import { OperatingError } from "../../core/errors.ts";
import type { Grade } from "../../core/grade.ts";
import { pause } from "../../core/pause.ts";
import type { Store } from "../../core/store.ts";

export interface JobCommand {
  readonly key: string;
  readonly operation: Operation;
  readonly condition: Condition;
}

export interface Done {
  readonly id: EntryId;
  readonly result: Result;
}

export interface JobCommandsDependencies {
  readonly appender: Pick<Appender, "submit">;
  readonly store: Pick<Store, "watermark" | "outcome">;
  readonly grade: () => Grade;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Between two looks at the watermark: the first comes soon, because mostly it is there by then. */
const LOOK_MIN_MS = 2;
const LOOK_MAX_MS = 50;

export class JobCommands {
  readonly #deps: JobCommandsDependencies;

  constructor(deps: JobCommandsDependencies) {
    this.#deps = deps;
  }

  /**
   * @param check called while it waits: what it throws ends the waiting, though the commands are in the log
   * @returns what became of them, in order
   * @throws OperatingError when some may not be in the log, or nobody knows what became of them
   */
  async run(
    partition: number,
    namespace: string,
    commands: readonly JobCommand[],
    check: () => Promise<void>,
  ): Promise<Done[]> {
    if (commands.length === 0) return [];
    const { appender, store, grade, now } = this.#deps;
    const before = await store.watermark(partition);
    const acceptedMs = now();
    const accepted = await Promise.all(
      commands.map((command) =>
        appender.submit(partition, { ...command, namespace, awaited: false, acceptedMs }, grade()),
      ),
    );
    const last = accepted.reduce((latest, { id }) => (compareIds(id, latest) > 0 ? id : latest), ID_ZERO);
    // Ids that were passed before they were given: the log went back, and the commands will be applied under others.
    if (compareIds(last, before.id) <= 0) throw new OperatingError("outcome-unknown", "the log went back");
    for (let pauseMs = LOOK_MIN_MS; compareIds((await store.watermark(partition)).id, last) < 0; ) {
      await check();
      await pause(pauseMs);
      pauseMs = Math.min(pauseMs * 2, LOOK_MAX_MS);
    }
    return Promise.all(
      accepted.map(async ({ id }) => ({ id, result: (await store.outcome(partition, id)) ?? { outcome: "applied" } })),
    );
  }
}
