/**
 * Listening, on Node. The only file of the api, beside its entry, that knows the runtime.
 *
 * Requests for keys, almost all there are, go straight from Node's objects to the handlers; the others through fetch's.
 * Whatever cannot be read as a request gets a problem too, and its connection is closed; so does the first request of a
 * connection that is one too many.
 */
import { setMaxListeners } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { getRequestListener, type Http2Bindings, type HttpBindings, RequestError } from "@hono/node-server";
import { ANSWER_STALL_MAX_MS, CONNECTIONS_SPARE, VALUE_MAX_BYTES } from "../core/limits.ts";
import { pause } from "../core/pause.ts";
import type { Service } from "../core/service.ts";
import type { App } from "./app.ts";
import { BodyBuffer } from "./body.ts";
import { ProblemError, type ProblemSlug } from "./errors.ts";
import { type Answer, type Incoming, toResponse } from "./exchange.ts";
import { KV_PREFIX } from "./key-path.ts";

/** Slower senders of headers or bodies are cut off: they would hold a connection for nothing (slowloris). */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** How often Node looks for them. */
const TIMEOUTS_LOOK_MS = 1000;
/** Longer than the idle time of the usual proxies in front (60 s), so that they close first. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
const HEADERS_MAX_BYTES = 16 * 1024;
/** When stopping: time for requests that are already on their way on open connections. */
const LAME_DUCK_MS = 300;
const DRAIN_MAX_MS = 10_000;
const IDLE_LOOK_MS = 20;
/** Who is answered before all was sent may go on sending for so long: a connection closed at once would lose the answer. */
const LINGER_MS = 500;

export class HttpServer implements Service {
  readonly #server: Server;
  readonly #app: App;
  readonly #host: string;
  readonly #port: number;
  readonly #connectionsMax: number;
  /** Open connections, and since when each is. */
  readonly #sockets = new Map<Socket, number>();
  /** Those of them that came when there were enough. */
  readonly #surplus = new WeakSet<Socket>();
  #stopping = false;
  #listening = false;

  /**
   * @param connectionsMax open connections; requests on further ones are told `overloaded`
   * @param report told of errors that should not be: their connection is closed
   * @param stallMs a connection over which nothing moves for so long, though an answer is on its way, is closed
   */
  constructor(
    host: string,
    port: number,
    connectionsMax: number,
    app: App,
    report: (error: unknown) => void,
    stallMs = ANSWER_STALL_MAX_MS,
  ) {
    this.#host = host;
    this.#port = port;
    this.#connectionsMax = connectionsMax;
    this.#app = app;
    const fetched = getRequestListener((request, env) => this.#fetch(request, env), {
      errorHandler: (error) => {
        if (!(error instanceof RequestError)) report(error);
        return toResponse(app.refuse(error instanceof RequestError ? "malformed-request" : "internal"));
      },
    });
    const listener = (incoming: IncomingMessage, outgoing: ServerResponse) => {
      if (this.#surplus.has(incoming.socket)) return this.#turnAway(incoming, outgoing);
      if (!incoming.url?.startsWith(KV_PREFIX)) return void fetched(incoming, outgoing);
      this.#answerKey(incoming, outgoing).catch((error: unknown) => {
        report(error);
        outgoing.destroy();
      });
    };
    this.#server = createServer(
      {
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        connectionsCheckingInterval: TIMEOUTS_LOOK_MS,
        keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
        maxHeaderSize: HEADERS_MAX_BYTES,
        noDelay: true,
      },
      listener,
    );
    // Who takes nothing of an answer would hold it for ever. A stream that has nothing to say says so now and then.
    this.#server.timeout = stallMs;
    this.#server.maxConnections = connectionsMax + CONNECTIONS_SPARE;
    this.#server.on("connection", (socket) => this.#welcome(socket));
    this.#server.on("checkContinue", (incoming, outgoing) => {
      // Who asks before sending what is too large is told so instead.
      if (!(Number(incoming.headers["content-length"]) > VALUE_MAX_BYTES)) outgoing.writeContinue();
      listener(incoming, outgoing);
    });
    this.#server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => this.#refuse(error, socket));
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
    const idle = setInterval(() => this.#closeIdle(), IDLE_LOOK_MS);
    const deadline = setTimeout(() => this.#server.closeAllConnections(), DRAIN_MAX_MS);
    await closed;
    clearInterval(idle);
    clearTimeout(deadline);
  }

  #welcome(socket: Socket): void {
    if (this.#sockets.size >= this.#connectionsMax) this.#surplus.add(socket);
    this.#sockets.set(socket, performance.now());
    socket.once("close", () => this.#sockets.delete(socket));
  }

  #turnAway(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { status, headers, body } = this.#app.refuse("overloaded");
    outgoing.writeHead(status, { ...headers, "Content-Length": String(lengthOf(body)), Connection: "close" });
    outgoing.end(body);
    if (!incoming.complete) linger(incoming);
  }

  /** For Node, a connection that never sent anything is not idle: it is late with its headers. */
  #closeIdle(): void {
    this.#server.closeIdleConnections();
    const nowMs = performance.now();
    for (const [socket, sinceMs] of this.#sockets) {
      if (socket.bytesRead === 0 && nowMs - sinceMs > LAME_DUCK_MS) socket.destroy();
    }
  }

  async #answerKey(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { status, headers, body } = await this.#app.answerKey(new NodeIncoming(incoming, outgoing));
    const length = lengthToTell(status, body);
    if (length !== null && headers["Content-Length"] === undefined) headers["Content-Length"] = String(length);
    if (this.#stopping) outgoing.shouldKeepAlive = false;
    outgoing.writeHead(status, headers);
    if (body instanceof ReadableStream) await sendStream(body, outgoing);
    else outgoing.end(body ?? undefined);
    if (!incoming.complete) linger(incoming);
  }

  async #fetch(request: Request, { incoming, outgoing }: HttpBindings | Http2Bindings): Promise<Response> {
    const response = await this.#app.fetch(request, { address: incoming.socket.remoteAddress ?? null });
    if (this.#stopping) (outgoing as ServerResponse).shouldKeepAlive = false;
    return response;
  }

  #refuse(error: NodeJS.ErrnoException, socket: Socket): void {
    if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
    const { status, headers, body } = this.#app.refuse(refusalOf(error.code));
    const all = { Connection: "close", ...headers, "Content-Length": lengthOf(body) };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n${body}`);
  }
}

/** A request as Node has parsed it. */
class NodeIncoming implements Incoming {
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
    return controller.signal;
  }
}

function refusalOf(code: string | undefined): ProblemSlug {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return "headers-too-large";
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return "request-timeout";
    default:
      return "malformed-request";
  }
}

/** As the fetch of @hono/node-server does it, which answers whatever is not for a key. */
async function sendStream(body: ReadableStream<Uint8Array>, outgoing: ServerResponse): Promise<void> {
  const reader = body.getReader();
  const closed = new Promise<void>((resolve) => outgoing.once("close", resolve));
  // It ends the reading below.
  void closed.then(() => reader.cancel()).catch(() => undefined);
  outgoing.flushHeaders();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (outgoing.write(value)) continue;
    await Promise.race([closed, new Promise((resolve) => outgoing.once("drain", resolve))]);
  }
  outgoing.end();
}

/** @returns null where it is not known, or an answer never has a body (RFC 9110, 8.6) */
function lengthToTell(status: number, body: Answer["body"]): number | null {
  if (body instanceof ReadableStream) return null;
  if (body !== null) return lengthOf(body);
  return status === 204 || status === 304 ? null : 0;
}

function lengthOf(body: string | Uint8Array): number {
  return typeof body === "string" ? Buffer.byteLength(body) : body.byteLength;
}

function linger(incoming: IncomingMessage): void {
  setTimeout(() => {
    if (!incoming.complete) incoming.socket.destroySoon();
  }, LINGER_MS).unref();
}
