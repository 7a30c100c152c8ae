/**
 * Removes keys that have expired, through the log: for the partitions that this consumer works it asks the store which keys
 * are due and appends a command for each, which removes the key if it is due by the partition's time, too.
 *
 * Nobody depends on its being prompt: reads hide what has expired, and for commands it is as if it were not there. Two owners
 * at once, or a command that comes twice, remove nothing that is not due.
 */
import type { Logger } from "pino";
import type { Appender } from "../core/appender.ts";
import { compareIds, type EntryId, ID_ZERO } from "../core/entry-id.ts";
import { describeError } from "../core/errors.ts";
import { FaultLog } from "../core/fault-log.ts";
import type { Grade } from "../core/grade.ts";
import { EXPIRY_PAGE_MAX_KEYS } from "../core/limits.ts";
import type { Service } from "../core/service.ts";
import type { Store } from "../core/store.ts";

export interface ExpirerDependencies {
  readonly store: Pick<Store, "due" | "watermark">;
  readonly appender: Pick<Appender, "submit">;
  readonly logger: Logger;
  /** Partitions this consumer works now. */
  readonly owned: () => Iterable<number>;
  readonly grade: () => Grade;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** What was done last for a partition. */
interface Look {
  /** The last command appended: until it is applied the same keys are due. */
  readonly sent: EntryId;
  /** The first key that was due. */
  readonly first: string;
  /** No sooner than this is it looked at again. */
  readonly nextMs: number;
  readonly pauseMs: number;
}

const LOOK_EVERY_MS = 250;
/** Where the log's clock is behind ours, keys stay due although they were asked for: no reason to fill the log. */
const PAUSE_MAX_MS = 30_000;

export class Expirer implements Service {
  readonly #deps: ExpirerDependencies;
  readonly #faults: FaultLog;
  readonly #looks = new Map<number, Look>();
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;

  constructor(deps: ExpirerDependencies) {
    this.#deps = deps;
    this.#faults = new FaultLog(deps.logger, "debug");
  }

  async start(): Promise<void> {
    this.#timer ??= setInterval(() => {
      this.#running ??= this.#lookAtAll().finally(() => {
        this.#running = null;
      });
    }, LOOK_EVERY_MS);
  }

  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    await this.#running;
  }

  async #lookAtAll(): Promise<void> {
    let wrong = false;
    const owned = [...this.#deps.owned()];
    for (const partition of this.#looks.keys()) if (!owned.includes(partition)) this.#looks.delete(partition);
    await Promise.all(
      owned.map((partition) =>
        this.look(partition).catch((error: unknown) => {
          wrong = true;
          this.#faults.fault({ partition, error: describeError(error) }, "not looked for expired keys");
        }),
      ),
    );
    if (!wrong && owned.length > 0) this.#faults.over({}, "expired keys are looked for again");
  }

  /** Asks for one page of what is due. @throws when store or log is away: there is another time */
  async look(partition: number): Promise<void> {
    const { store, appender, now, grade } = this.#deps;
    const last = this.#looks.get(partition);
    const nowMs = now();
    if (last && nowMs < last.nextMs) return;
    const [watermark, due] = await Promise.all([
      store.watermark(partition),
      store.due(partition, nowMs, EXPIRY_PAGE_MAX_KEYS),
    ]);
    const [head] = due;
    if (head === undefined) return void this.#looks.delete(partition);
    if (last && compareIds(watermark.id, last.sent) < 0) return;
    const accepted = await Promise.all(
      due.map(({ namespace, key }) => {
        const command = { namespace, key, operation: { op: "expire" }, awaited: false, acceptedMs: nowMs } as const;
        return appender.submit(partition, command, grade());
      }),
    );
    const first = `${head.namespace}/${head.key}`;
    const pauseMs = last?.first === first ? Math.min(Math.max(last.pauseMs * 2, LOOK_EVERY_MS), PAUSE_MAX_MS) : 0;
    const sent = accepted.reduce((latest, { id }) => (compareIds(id, latest) > 0 ? id : latest), ID_ZERO);
    this.#looks.set(partition, { sent, first, nextMs: nowMs + pauseMs, pauseMs });
  }
}
