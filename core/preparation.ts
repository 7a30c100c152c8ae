/**
 * Makes log and store usable, each by itself: connects, checks the recorded format, loads the functions; again at every
 * new connection. A Redis that is away makes its side unusable, not the process.
 */
import type { Logger } from "pino";
import { describeError, OperatingError } from "./errors.ts";
import { FaultLog } from "./fault-log.ts";
import { checkFormat } from "./format-record.ts";
import type { Log } from "./log.ts";
import type { Link } from "./redis/link.ts";
import type { Service } from "./service.ts";
import type { Store } from "./store.ts";

export interface PreparationDependencies {
  readonly logLink: Link;
  readonly storeLink: Link;
  readonly log: Log;
  readonly store: Store;
  readonly partitions: number;
  readonly logger: Logger;
  /** Ends the process: it must not touch this data. */
  readonly fail: () => void;
}

const RETRY_MS = 500;

export class Preparation implements Service {
  readonly #deps: PreparationDependencies;
  readonly #faults: FaultLog;
  #logChecked = false;
  #storeChecked = false;
  #listeners: (() => void)[] = [];
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> | null = null;
  /** Something changed while a check was running. */
  #again = false;
  #stopped = false;

  constructor(deps: PreparationDependencies) {
    this.#deps = deps;
    this.#faults = new FaultLog(deps.logger);
  }

  get logUsable(): boolean {
    return this.#logChecked && this.#deps.logLink.ready;
  }

  get storeUsable(): boolean {
    return this.#storeChecked && this.#deps.storeLink.ready;
  }

  /** Called whenever a side has become usable. */
  onUsable(listener: () => void): void {
    this.#listeners.push(listener);
  }

  async start(): Promise<void> {
    const { logLink, storeLink, logger } = this.#deps;
    for (const [redis, link] of [
      ["log", logLink],
      ["store", storeLink],
    ] as const) {
      const faults = new FaultLog(logger);
      link.open(
        () => {
          faults.over({ redis }, "the connection is back");
          logger.info({ redis }, "connected");
          this.#recheck();
        },
        (error) => faults.fault({ redis, error: describeError(error) }, "connection fault"),
      );
    }
    this.#timer = setInterval(() => {
      if (!this.#logChecked || !this.#storeChecked) this.#recheck();
    }, RETRY_MS);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer) clearInterval(this.#timer);
    await this.#running;
  }

  #recheck(): void {
    if (this.#stopped) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    this.#running = this.#check().finally(() => {
      this.#running = null;
      if (this.#again) {
        this.#again = false;
        this.#recheck();
      }
    });
  }

  async #check(): Promise<void> {
    const { logLink, storeLink, log, store, partitions, logger, fail } = this.#deps;
    try {
      const usable = await checkFormat(logLink, storeLink, partitions);
      if (usable.log) await log.prepare();
      if (usable.store) await store.prepare();
      const gained = (usable.log && !this.#logChecked) || (usable.store && !this.#storeChecked);
      this.#logChecked ||= usable.log;
      this.#storeChecked ||= usable.store;
      if (usable.log && usable.store) this.#faults.over({}, "prepared");
      if (gained) for (const listener of this.#listeners) listener();
    } catch (error) {
      if (error instanceof OperatingError && error.code === "format-mismatch") {
        logger.fatal({ error: error.message }, "refusing to touch this data");
        this.#stopped = true;
        fail();
        return;
      }
      this.#faults.fault({ error: describeError(error) }, "preparing failed: trying again");
    }
  }
}
