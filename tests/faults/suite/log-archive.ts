/**
 * Keeps what the log may trim in the middle of a run: when its memory fills up, entries that are applied go before their
 * time, and the whole log is wanted at the end.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { compareIds, type EntryId } from "../../../core/entry-id.ts";
import type { Cluster } from "./cluster.ts";
import { readLogFrom } from "./collect.ts";
import type { RawEntry } from "./model.ts";

const LOOK_MS = 1_000;
/** Read again each time: the end of a log may be lost in a failover. */
const AGAIN_MS = 60_000;

export class LogArchive {
  readonly #cluster: Cluster;
  /** By partition, in order, as last seen. */
  readonly #entries = new Map<number, RawEntry[]>();
  readonly #stop = new AbortController();
  #done: Promise<void> | null = null;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  start(): void {
    this.#done ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  /** The log as it is, and before it what was trimmed of it. */
  complete(log: readonly (readonly RawEntry[])[]): RawEntry[][] {
    return log.map((entries, partition) => [...this.#before(partition, entries[0]?.id), ...entries]);
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      // A log that is away is looked at again: what it holds stays for longer than that.
      await this.#look().catch(() => undefined);
      await sleep(LOOK_MS, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
  }

  async #look(): Promise<void> {
    const log = await readLogFrom(this.#cluster, (partition) => {
      const last = this.#entries.get(partition)?.at(-1);
      return last === undefined ? "-" : `${Math.max(0, Number(last.id.split("-")[0]) - AGAIN_MS)}-0`;
    });
    for (const [partition, entries] of log.entries()) {
      // Trimming takes from the beginning: what was before the first is kept. A failover takes from the end: what was after
      // it and is not there any more never was.
      if (entries[0]) this.#entries.set(partition, [...this.#before(partition, entries[0].id), ...entries]);
    }
  }

  #before(partition: number, id: EntryId | undefined): RawEntry[] {
    const archived = this.#entries.get(partition) ?? [];
    return id === undefined ? archived : archived.filter((entry) => compareIds(entry.id, id) < 0);
  }
}
