/**
 * Quotas: whether a namespace may grow. It asks nobody: what namespaces hold is looked at each second, of those that have
 * a quota and were written to lately. So a quota may be passed by what is accepted within that second, and by what was
 * accepted and not yet applied; a namespace that this process has never looked at may grow until it has.
 *
 * At either bound every write that might grow the namespace is refused, also one that would replace a value: whether it
 * does is known only when it is applied. Deletes always pass. While the store is away the last known usage holds.
 */
import type { Operation } from "../core/command.ts";
import { QUOTA_WATCH_MS } from "../core/limits.ts";
import { partitionsOf } from "../core/partition.ts";
import type { Service } from "../core/service.ts";
import type { Store, Usage } from "../core/store.ts";
import { ProblemError } from "./errors.ts";
import type { Quota, SettingsOf } from "./namespaces.ts";

const POLL_MS = 1000;

interface Watched {
  usage: Usage | null;
  /** When it was last written to. */
  writtenMs: number;
}

export interface QuotasDependencies {
  readonly store: Pick<Store, "usage">;
  readonly partitions: number;
  readonly settingsOf: SettingsOf;
  /** False while the store is away: it is not asked then. */
  readonly usable: () => boolean;
}

export class Quotas implements Service {
  readonly #deps: QuotasDependencies;
  readonly #watched = new Map<string, Watched>();
  #timer: ReturnType<typeof setInterval> | null = null;
  #polling = false;

  constructor(deps: QuotasDependencies) {
    this.#deps = deps;
  }

  /** @throws ProblemError `quota-exceeded`: nothing was accepted */
  admit(namespace: string, operation: Operation): void {
    const { quota } = this.#deps.settingsOf(namespace);
    if (quota === undefined || !mayGrow(operation)) return;
    const watched = this.#watched.get(namespace);
    if (watched === undefined) {
      this.#watched.set(namespace, { usage: null, writtenMs: performance.now() });
      return;
    }
    watched.writtenMs = performance.now();
    const reached = watched.usage && reachedBound(watched.usage, quota);
    if (reached) throw new ProblemError("quota-exceeded", `Nothing was accepted. ${reached}`);
  }

  async start(): Promise<void> {
    this.#timer ??= setInterval(() => void this.poll(), POLL_MS);
  }

  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
  }

  /** Looks now. Never rejects. */
  async poll(): Promise<void> {
    if (this.#polling || !this.#deps.usable()) return;
    this.#polling = true;
    const sinceMs = performance.now() - QUOTA_WATCH_MS;
    for (const [namespace, watched] of this.#watched) {
      // What it held stays known: else a write now and then would always find nothing known.
      if (watched.writtenMs < sinceMs) continue;
      // A namespace that cannot be looked at keeps what was known of it; the connection says what is wrong.
      watched.usage = await usageOf(this.#deps.store, namespace, this.#deps.partitions).catch(() => watched.usage);
    }
    this.#polling = false;
  }
}

/** What a namespace holds, over all partitions. @throws OperatingError */
export async function usageOf(store: Pick<Store, "usage">, namespace: string, partitions: number): Promise<Usage> {
  const usages = await Promise.all(
    partitionsOf(namespace, partitions).map((partition) => store.usage(partition, namespace)),
  );
  return {
    keys: usages.reduce((sum, { keys }) => sum + keys, 0),
    bytes: usages.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

function mayGrow(operation: Operation): boolean {
  if (operation.op === "txn") return operation.steps.some((step) => mayGrow(step.operation));
  return operation.op === "put" || operation.op === "increment" || operation.op === "patch";
}

function reachedBound(usage: Usage, quota: Quota): string | null {
  if (quota.keys !== undefined && usage.keys >= quota.keys) return `It holds ${usage.keys} of ${quota.keys} keys.`;
  if (quota.bytes !== undefined && usage.bytes >= quota.bytes)
    return `It holds ${usage.bytes} of ${quota.bytes} bytes.`;
  return null;
}
