/**
 * Reads what Millrace itself keeps as keys (see core/system-keys.ts). No answer is older than what this process has served
 * or heard of: while the store is not back there, it is a 503.
 */
import { type EntryId, formatRevision } from "../core/entry-id.ts";
import { OperatingError } from "../core/errors.ts";
import { keyBytes, keyText } from "../core/key-bytes.ts";
import { VALUE_MAX_BYTES } from "../core/limits.ts";
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

export interface SystemPage {
  readonly documents: readonly SystemDocument[];
  /** Where to go on behind; null: those were all. */
  readonly last: string | null;
}

export interface SystemValuesDependencies {
  readonly store: Pick<Store, "read" | "list">;
  readonly floors: Pick<AppliedFeed, "floor" | "raise">;
  readonly usable: () => boolean;
  readonly partitions: number;
}

/** Documents in one look, and their bytes: a call of Redis must not take long. */
const PAGE = 250;
const PAGE_MAX_BYTES = 1024 * 1024;

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

  /** The first keys that begin with a prefix, behind one of them or null. Throws as {@link read} does. */
  async page(prefix: string, after: string | null, count: number): Promise<SystemPage> {
    this.#expectUsable();
    const { store, floors } = this.#deps;
    const floor = floors.floor(this.partition);
    const { watermark, keys, reached } = await store.list(this.partition, SYSTEM_NAMESPACE, {
      prefix: keyBytes(prefix),
      after: after === null ? null : keyBytes(after),
      // Nothing here ever expires.
      nowMs: 0,
      keys: count,
      members: count,
      bytes: PAGE_MAX_BYTES,
      wholeMaxBytes: VALUE_MAX_BYTES,
    });
    if (watermark.ordinal < floor.ordinal) throw recovering();
    floors.raise(this.partition, watermark);
    const documents = keys.map(({ key, stored }) => this.#documentOf(keyText(key), stored));
    return { documents, last: reached && keyText(reached) };
  }

  /** All that begin with a prefix. */
  async all(prefix: string): Promise<SystemDocument[]> {
    const found: SystemDocument[] = [];
    for (let after: string | null = null; ; ) {
      const { documents, last } = await this.page(prefix, after, PAGE);
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
