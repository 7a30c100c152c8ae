/**
 * A file whose content is followed while the process runs.
 *
 * It is looked at again and again, because that sees every way of changing a file: written in place, renamed over, or
 * behind a symbolic link that now leads elsewhere (as Kubernetes mounts Secrets). A file that is away or cannot be read
 * changes nothing, and is told once.
 */
import { readFile, stat } from "node:fs/promises";
import { describeError } from "./errors.ts";
import type { Service } from "./service.ts";

export interface WatchedFileOptions {
  readonly path: string;
  readonly everyMs: number;
  readonly maxBytes: number;
  /** Told the content: at the start, and whenever it is another one. What it throws at the start is thrown by `start`. */
  readonly onContent: (text: string) => void;
  /** Told why a later look, or `onContent`, failed; not again for the same reason. */
  readonly onFault: (reason: string) => void;
}

export class WatchedFile implements Service {
  readonly #options: WatchedFileOptions;
  #timer: NodeJS.Timeout | null = null;
  #looking: Promise<void> | null = null;
  /** What tells one version of the file from another. */
  #version = "";
  #content: string | null = null;
  #fault = "";

  constructor(options: WatchedFileOptions) {
    this.#options = options;
  }

  /** @throws Error when the file cannot be read, or `onContent` throws */
  async start(): Promise<void> {
    await this.#read();
    this.#timer = setInterval(() => {
      this.#looking ??= this.#look().finally(() => {
        this.#looking = null;
      });
    }, this.#options.everyMs);
  }

  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    await this.#looking;
  }

  async #look(): Promise<void> {
    try {
      await this.#read();
      this.#fault = "";
    } catch (error) {
      const fault = describeError(error);
      if (fault !== this.#fault) this.#options.onFault(fault);
      this.#fault = fault;
    }
  }

  async #read(): Promise<void> {
    const { path, maxBytes, onContent } = this.#options;
    // Taken before the content: a change in between is seen by the next look.
    const { mtimeNs, ctimeNs, size, ino } = await stat(path, { bigint: true });
    const version = `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
    if (version === this.#version) return;
    if (size > maxBytes) throw new Error(`the file has more than ${maxBytes} bytes`);
    const content = await readFile(path, "utf8");
    if (content !== this.#content) {
      onContent(content);
      this.#content = content;
    }
    this.#version = version;
  }
}
