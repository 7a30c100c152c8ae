/**
 * The settings of all namespaces, in memory: a write looks its own up in a Map and waits for nobody.
 *
 * They are read at the start, soon after the store tells that their partition has changed, and each second in any case,
 * because a broadcast may be lost. So a change is in effect in every process within about a second. While the store is
 * away, or is not back where it was, the last known settings hold.
 *
 * Before they were ever read there are none to go by, and the defaults might be less than a namespace was promised: a
 * write at a lower grade, or one that does not block. So a write waits for them a little, and is refused else.
 */
import { describeError } from "../core/errors.ts";
import { SETTINGS_FIRST_WAIT_MS } from "../core/limits.ts";
import { SYSTEM_NAMESPACE } from "../core/partition.ts";
import type { Service } from "../core/service.ts";
import { SETTINGS_PREFIX } from "../core/system-keys.ts";
import { ProblemError } from "./errors.ts";
import { DEFAULT_SETTINGS, type NamespaceSettings, parseStoredSettings } from "./namespaces.ts";
import type { PartitionReport } from "./partition-monitor.ts";
import type { SystemValues } from "./system-values.ts";

/** How often it looks whether it should read them again. */
const LOOK_MS = 250;
const REREAD_MS = 1000;

export interface RegistryDependencies {
  readonly values: Pick<SystemValues, "all" | "partition">;
  /** How all partitions stand. Asked before the first reading, so that a store that went back is known as such. */
  readonly report: () => Promise<readonly Pick<PartitionReport, "accepted" | "ordinal">[]>;
  /** False while the store is away: it is not asked then. */
  readonly usable: () => boolean;
  /** Told of settings that cannot be read. */
  readonly onFault: (message: string) => void;
}

export class NamespaceRegistry implements Service {
  readonly #deps: RegistryDependencies;
  #known: ReadonlyMap<string, NamespaceSettings> | null = null;
  /** Who waits for them to be known. */
  #waiting: (() => void)[] = [];
  /** What was told last: the same is not told again each time. */
  #told = "";
  #timer: ReturnType<typeof setInterval> | null = null;
  #stale = true;
  #readMs = 0;
  #reading = false;

  constructor(deps: RegistryDependencies) {
    this.#deps = deps;
  }

  /** Namespaces that have settings of their own; null before they are known. */
  get known(): ReadonlyMap<string, NamespaceSettings> | null {
    return this.#known;
  }

  /** @throws ProblemError `settings-unknown` */
  settingsOf(namespace: string): NamespaceSettings {
    if (this.#known === null && namespace !== SYSTEM_NAMESPACE) throw unknown();
    return this.#known?.get(namespace) ?? DEFAULT_SETTINGS;
  }

  /** Null when they are known; else resolves when they are. @throws ProblemError `settings-unknown` after a while */
  untilKnown(): Promise<void> | null {
    if (this.#known !== null) return null;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(unknown()), SETTINGS_FIRST_WAIT_MS);
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Something of this partition has been applied. */
  heard(partition: number): void {
    if (partition === this.#deps.values.partition) this.#stale = true;
  }

  async start(): Promise<void> {
    this.#timer ??= setInterval(() => this.look(), LOOK_MS);
  }

  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
  }

  /** Reads them again where they may have changed. */
  look(): void {
    const due = this.#stale || performance.now() - this.#readMs > REREAD_MS;
    if (!due || this.#reading || !this.#deps.usable()) return;
    this.#reading = true;
    this.#stale = false;
    this.#read()
      .catch((error: unknown) => {
        // What was last known holds. Before that, whoever starts this process should see what it waits for.
        if (this.#known === null) this.#tell(`settings are not read yet: ${describeError(error)}`);
        this.#stale = true;
      })
      .finally(() => {
        this.#reading = false;
      });
  }

  async #read(): Promise<void> {
    const { values, report } = this.#deps;
    if (this.#known === null) {
      const standing = (await report())[values.partition];
      // Nobody may have told how far an empty store was: its owner tells each second.
      if (!standing || (standing.ordinal === 0 && standing.accepted > 0)) throw new Error("the store is empty");
    }
    const next = new Map<string, NamespaceSettings>();
    for (const { key, document } of await values.all(SETTINGS_PREFIX)) {
      const namespace = key.slice(SETTINGS_PREFIX.length);
      const settings = parseStoredSettings(document) ?? this.#known?.get(namespace);
      if (settings) next.set(namespace, settings);
      else this.#tell(`the settings of ${namespace} cannot be read: it has the defaults`);
    }
    this.#known = next;
    this.#readMs = performance.now();
    for (const release of this.#waiting) release();
    this.#waiting = [];
  }

  #tell(fault: string): void {
    if (fault !== this.#told) this.#deps.onFault(fault);
    this.#told = fault;
  }
}

function unknown(): ProblemError {
  return new ProblemError("settings-unknown", "Nothing was accepted.");
}
