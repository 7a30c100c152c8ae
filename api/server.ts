/**
 * Listening, on Node. The only file of the api, beside its entry, that knows the runtime.
 */
import type { Server, ServerResponse } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import type { Service } from "../core/service.ts";

/** Slower senders of headers or bodies are cut off: they would hold a connection for nothing (slowloris). */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** Longer than the idle time of the usual proxies in front (60 s), so that they close first. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
const HEADERS_MAX_BYTES = 16 * 1024;
const CONNECTIONS_MAX = 20_000;
/** When stopping: time for requests that are already on their way on open connections. */
const LAME_DUCK_MS = 300;
const DRAIN_MAX_MS = 10_000;
const IDLE_LOOK_MS = 20;

type Fetch = (request: Request) => Response | Promise<Response>;

export class HttpServer implements Service {
  readonly #server: Server;
  readonly #host: string;
  readonly #port: number;
  #stopping = false;
  #listening = false;

  constructor(host: string, port: number, fetch: Fetch) {
    this.#host = host;
    this.#port = port;
    this.#server = createAdaptorServer({
      fetch: (request, { outgoing }) => {
        const response = fetch(request);
        return response instanceof Promise
          ? response.then((settled) => this.#finish(settled, outgoing as ServerResponse))
          : this.#finish(response, outgoing as ServerResponse);
      },
      serverOptions: {
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
        maxHeaderSize: HEADERS_MAX_BYTES,
        noDelay: true,
      },
    }) as Server;
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  /** Takes requests, and will go on taking them. */
  get serving(): boolean {
    return this.#listening && !this.#stopping;
  }

  /** @throws Error that says so when the port is taken */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", (error: NodeJS.ErrnoException) => {
        reject(error.code === "EADDRINUSE" ? new Error(`PORT ${this.#port} is in use on ${this.#host}`) : error);
      });
      this.#server.listen(this.#port, this.#host, () => {
        this.#listening = true;
        resolve();
      });
    });
  }

  /**
   * Answers what has been sent and ends. Every answer from now on closes its connection, so that clients go elsewhere;
   * idle connections are closed after a moment in which a request may already be on its way.
   */
  async stop(): Promise<void> {
    if (this.#stopping || !this.#listening) return;
    this.#stopping = true;
    await pause(LAME_DUCK_MS);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const idle = setInterval(() => this.#server.closeIdleConnections(), IDLE_LOOK_MS);
    const deadline = setTimeout(() => this.#server.closeAllConnections(), DRAIN_MAX_MS);
    await closed;
    clearInterval(idle);
    clearTimeout(deadline);
  }

  #finish(response: Response, outgoing: ServerResponse): Response {
    if (this.#stopping) outgoing.shouldKeepAlive = false;
    return response;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
