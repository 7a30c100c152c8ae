/**
 * A request as Node has parsed it, without fetch's objects between.
 */
import { setMaxListeners } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { BodyBuffer } from "./body.ts";
import { ProblemError } from "./errors.ts";
import type { Incoming } from "./exchange.ts";
import { NO_SPAN } from "./request-span.ts";

export class NodeIncoming implements Incoming {
  span = NO_SPAN;
  readonly #incoming: IncomingMessage;
  readonly #outgoing: ServerResponse;
  #gone: AbortSignal | null = null;

  constructor(incoming: IncomingMessage, outgoing: ServerResponse) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
  }

  get method(): string {
    return this.#incoming.method ?? "";
  }

  get target(): string {
    return this.#incoming.url ?? "";
  }

  header(name: string): string | null {
    const value = this.#incoming.headers[name];
    return typeof value === "string" ? value : null;
  }

  get address(): string | null {
    return this.#incoming.socket.remoteAddress ?? null;
  }

  body(): Promise<Uint8Array> {
    const incoming = this.#incoming;
    return new Promise((resolve, reject) => {
      const buffer = new BodyBuffer(this.header("content-length"));
      incoming.on("data", (chunk: Buffer) => {
        try {
          buffer.add(chunk);
        } catch (error) {
          incoming.removeAllListeners("data");
          reject(error);
        }
      });
      incoming.on("end", () => resolve(buffer.whole()));
      incoming.on("error", () => reject(new ProblemError("invalid-body")));
    });
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#incoming.iterator({ destroyOnReturn: false });
    } catch {
      throw new ProblemError("invalid-body");
    }
  }

  get gone(): AbortSignal {
    this.#gone ??= this.#watch();
    return this.#gone;
  }

  #watch(): AbortSignal {
    const controller = new AbortController();
    // A list may wait for every partition at once.
    setMaxListeners(0, controller.signal);
    this.#outgoing.on("close", () => {
      if (!this.#outgoing.writableFinished) controller.abort();
    });
    this.#gone = controller.signal;
    return this.#gone;
  }
}
