/** The Redises below the services of a local stack: how many there are, and how they are kept, is what stacks differ in. */
import type { DataFolder } from "./data-folder.ts";
import type { KnownProcess } from "./process-list.ts";
import type { Reaper } from "./reaper.ts";
import type { SupervisorOptions } from "./supervisor.ts";

/** What the stack gives a tier to start its processes with. */
export interface TierTools {
  folder: DataFolder;
  reaper: Reaper;
  /** Keeps a process running until the stack stops; resolves when it is of use. */
  supervise: (tier: "sentinel" | "redis", name: string, start: SupervisorOptions["start"]) => Promise<void>;
  /** Writes a process down, for the case that the stack is killed. */
  record: (name: string, known: KnownProcess) => Promise<void>;
}

export interface RedisAccess {
  readonly log: string;
  readonly store: string;
  /** What the welcome says of it: how to look at it, what to try. */
  readonly notes?: string;
}

export interface RedisTier {
  start(tools: TierTools): Promise<RedisAccess>;
}
