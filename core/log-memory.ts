/**
 * How much of its memory the log's Redis uses. Writes are refused, and applied entries trimmed, well before Redis itself
 * would refuse: at its own bound it refuses whatever comes next, a consumer's lease as well as a client's write.
 */
import { LOG_MEMORY_LOOK_MS } from "./limits.ts";
import type { Link } from "./redis/link.ts";
import type { Service } from "./service.ts";

export interface LogMemory {
  /** What counts against the limit: not the buffers of replicas and of the append-only file. */
  readonly usedBytes: number;
  /** `maxmemory`, or the memory of the machine where there is none. */
  readonly limitBytes: number;
}

/** From 0 to 1, and beyond it where Redis is over its limit. */
export function shareOf({ usedBytes, limitBytes }: LogMemory): number {
  return usedBytes / limitBytes;
}

/** @throws Error when it is not what `INFO memory` answers (https://redis.io/docs/latest/commands/info/) */
export function parseLogMemory(info: string): LogMemory {
  const field = (name: string): number => {
    const text = new RegExp(`^${name}:(\\d+)\\r?$`, "m").exec(info)?.[1];
    if (text === undefined) throw new Error(`INFO memory has no ${name}`);
    return Number(text);
  };
  return {
    usedBytes: field("used_memory") - field("mem_not_counted_for_evict"),
    limitBytes: field("maxmemory") || field("total_system_memory"),
  };
}

/** Of the fullest master where there are several: keys cannot choose another one. */
export async function readLogMemory(link: Pick<Link, "masters">): Promise<LogMemory> {
  const all = await Promise.all(
    link.masters().map(async (node) => parseLogMemory(String(await node.call("INFO", "memory")))),
  );
  const [fullest] = all.toSorted((a, b) => shareOf(b) - shareOf(a));
  if (fullest === undefined) throw new Error("the log has no master now");
  return fullest;
}

/** Looks at the memory again and again. */
export class LogMemoryWatch implements Service {
  readonly #link: Pick<Link, "masters">;
  readonly #usable: () => boolean;
  readonly #onLook: (memory: LogMemory) => void;
  #last: LogMemory | null = null;
  #timer: NodeJS.Timeout | null = null;
  #looking = false;

  /**
   * @param usable false while the log is away: it is not asked then
   * @param onLook told each time what was seen
   */
  constructor(link: Pick<Link, "masters">, usable: () => boolean, onLook: (memory: LogMemory) => void) {
    this.#link = link;
    this.#usable = usable;
    this.#onLook = onLook;
  }

  /** What was last seen; null before anything was. */
  get last(): LogMemory | null {
    return this.#last;
  }

  async start(): Promise<void> {
    this.#timer ??= setInterval(() => void this.#look(), LOG_MEMORY_LOOK_MS);
  }

  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#looking || !this.#usable()) return;
    this.#looking = true;
    try {
      this.#last = await readLogMemory(this.#link);
      this.#onLook(this.#last);
    } catch {
      // The connection says what is wrong; what was last seen stands until it is back.
    }
    this.#looking = false;
  }
}
