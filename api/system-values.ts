/**
 * Reads what Millrace itself keeps as keys (see core/system-keys.ts). No answer is older than what this process has served
 * or heard of: while the store is not back there, it is a 503.
 */
import { type EntryId, formatRevision } from "../core/entry-id.ts";
import { OperatingError } from "../core/errors.ts";
import type { KeyPages, KeyRange } from "../core/key-pages.ts";
import { SYSTEM_NAMESPACE } from "../core/partition.ts";
import type { Store } from "../core/store.ts";
import type { StoredValue } from "../core/stored-value.ts";
import { systemPartition } from "../core/system-keys.ts";
import type { AppliedFeed } from "./applied-feed.ts";
import { ProblemError } from "./errors.ts";

export interface SystemDocument {
  readonly key: string;
  readonly id: EntryId;
  readonly revision: string;
  /** Whatever JSON it is. */
  readonly document: unknown;
}

export interface SystemValuesDependencies {
  readonly store: Pick<Store, "read" | "watermark">;
  readonly pages: Pick<KeyPages, "page" | "values">;
  readonly floors: Pick<AppliedFeed, "floor" | "raise">;
  readonly usable: () => boolean;
  readonly partitions: number;
}

const decoder = new TextDecoder();

export class SystemValues {
  readonly partition: number;
  readonly #deps: SystemValuesDependencies;

  constructor(deps: SystemValuesDependencies) {
    this.#deps = deps;
    this.partition = systemPartition(deps.partitions);
  }

  /** @returns null where there is no such key. @throws ProblemError, OperatingError */
  async read(key: string): Promise<SystemDocument | null> {
    this.#expectUsable();
    const { store, floors } = this.#deps;
    const floor = floors.floor(this.partition);
    const { watermark, stored } = await store.read(this.partition, SYSTEM_NAMESPACE, key);
    if (watermark.ordinal < floor.ordinal) throw recovering();
    floors.raise(this.partition, watermark);
    return stored && this.#documentOf(key, stored);
  }

  /** Fewer than `range.count` looked at: there are no more. Throws as {@link read} does. */
  async page(range: KeyRange): Promise<{ documents: SystemDocument[]; last: string | null }> {
    this.#expectUsable();
    const { store, pages, floors } = this.#deps;
    const floor = floors.floor(this.partition);
    const before = await store.watermark(this.partition);
    const keys = await pages.page(this.partition, SYSTEM_NAMESPACE, range);
    const values = await pages.values(this.partition, SYSTEM_NAMESPACE, keys);
    const after = await store.watermark(this.partition);
    if (before.ordinal < floor.ordinal || after.ordinal < before.ordinal) throw recovering();
    const documents = keys.flatMap((key, index) => {
      const stored = values[index];
      return stored ? [this.#documentOf(key, stored)] : [];
    });
    return { documents, last: keys.length < range.count ? null : (keys.at(-1) ?? null) };
  }

  /** All that begin with a prefix. */
  async all(prefix: string): Promise<SystemDocument[]> {
    const found: SystemDocument[] = [];
    for (let after: string | null = null; ; ) {
      const { documents, last } = await this.page({ prefix, after, count: PAGE });
      found.push(...documents);
      if (last === null) return found;
      after = last;
    }
  }

  #expectUsable(): void {
    if (!this.#deps.usable()) throw new OperatingError("store-unavailable", "the store is not usable");
  }

  #documentOf(key: string, { id, value }: StoredValue): SystemDocument {
    return { key, id, revision: formatRevision(this.partition, id), document: parseDocument(value) };
  }
}

/** Documents in one look: a call of Redis must not take long. */
const PAGE = 250;

function recovering(): ProblemError {
  return new ProblemError("partition-recovering");
}

/** What is not JSON is no document of ours, and is found to be none by whoever reads it. */
function parseDocument(value: Uint8Array): unknown {
  try {
    return JSON.parse(decoder.decode(value));
  } catch {
    return undefined;
  }
}
