/**
 * Writes spans as OTLP's JSON, and has them sent by a thread of its own (export-thread.ts).
 *
 * Sending itself is next to nothing: some requests a second. But what sends them is Node's client of HTTP, and all that it
 * shares with the server is compiled by V8 for whatever has come by: on the thread that answers, a client makes every answer
 * slower, by 4 % of a write (docs/decisions/0035-spans.md).
 */
import { Worker } from "node:worker_threads";
import { diag } from "@opentelemetry/api";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace-node";
import type { Told, ToSend } from "./export-messages.ts";
import { TraceJson } from "./trace-json.ts";

type Done = Parameters<SpanExporter["export"]>[1];

const SUCCESS = 0;
const FAILED = 1;

export class ThreadExporter implements SpanExporter {
  readonly #program: URL;
  readonly #json = new TraceJson();
  /** On their way, by the number that the thread knows them by. */
  readonly #sending = new Map<number, Done>();
  #thread: Worker | null = null;
  #count = 0;

  /** @param program of the thread, which begins with the first batch */
  constructor(program: URL) {
    this.#program = program;
  }

  export(spans: ReadableSpan[], done: Done): void {
    const body = this.#json.serializeRequest(spans);
    if (body === undefined) {
      done({ code: SUCCESS });
      return;
    }
    this.#thread ??= this.#begin();
    this.#count += 1;
    this.#sending.set(this.#count, done);
    // The process does not end before it is told.
    this.#thread.ref();
    const message: ToSend = { id: this.#count, body };
    this.#thread.postMessage(message, [body.buffer]);
  }

  async shutdown(): Promise<void> {
    await this.#thread?.terminate();
  }

  #begin(): Worker {
    // With no arguments of the process: they would have it begin with the bootstrap, too.
    const thread = new Worker(this.#program, { name: "spans", execArgv: [] });
    thread.on("message", (told: Told) => {
      if ("level" in told) return diag[told.level](told.text);
      const { id, fault } = told;
      this.#settle(id, fault && Object.assign(new Error(fault.message), { code: fault.code }));
    });
    thread.on("error", (error) => this.#ended(thread, error));
    thread.on("exit", () => this.#ended(thread, new Error("the thread that sends spans has ended")));
    return thread;
  }

  #settle(id: number, error: Error | null): void {
    const done = this.#sending.get(id);
    this.#sending.delete(id);
    if (this.#sending.size === 0) this.#thread?.unref();
    done?.(error ? { code: FAILED, error } : { code: SUCCESS });
  }

  /** The next batch has a new one. @param thread may be told of twice, when another one is at work already */
  #ended(thread: Worker, error: Error): void {
    if (this.#thread !== thread) return;
    this.#thread = null;
    for (const id of [...this.#sending.keys()]) this.#settle(id, error);
  }
}
