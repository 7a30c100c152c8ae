/**
 * Listening, on Node. The only file of the api, beside its entry and what a request is here (node-incoming.ts), that knows
 * the runtime.
 *
 * Requests for keys, almost all there are, go straight from Node's objects to the handlers; the others through fetch's.
 * Whatever cannot be read as a request gets a problem too, and its connection is closed; so does the first request of a
 * connection that is one too many.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { getRequestListener, type Http2Bindings, type HttpBindings, RequestError } from "@hono/node-server";
import { ANSWER_STALL_MAX_MS, CONNECTIONS_SPARE, VALUE_MAX_BYTES } from "../core/limits.ts";
import { pause } from "../core/pause.ts";
import type { Service } from "../core/service.ts";
import type { App } from "./app.ts";
import { Arrivals } from "./arrivals.ts";
import { BATCH_PREFIX } from "./batch-path.ts";
import type { ProblemSlug } from "./errors.ts";
import { type Answer, toResponse } from "./exchange.ts";
import { KV_PREFIX } from "./key-path.ts";
import { NodeIncoming } from "./node-incoming.ts";

/** Slower senders of headers or bodies are cut off: they would hold a connection for nothing (slowloris). */
const HEADERS_TIMEOUT_MS = 10_000;
const BODY_TIMEOUT_S = 30;
/** Longer than a write may wait for its result (WAIT_MAX_S), which may be what holds it up. */
const FLOW_TIMEOUT_S = 60;
/** How often they are looked for. */
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
  readonly #arrivals = new Arrivals<Socket>(BODY_TIMEOUT_S, FLOW_TIMEOUT_S);
  #stopping = false;
  #listening = false;
  #looking: NodeJS.Timeout | null = null;

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
      this.#arrivals.begin(incoming.socket, incoming, isFlow(incoming));
      if (!incoming.url?.startsWith(KV_PREFIX)) return void fetched(incoming, outgoing);
      this.#answerKey(incoming, outgoing).catch((error: unknown) => {
        report(error);
        outgoing.destroy();
      });
    };
    this.#server = createServer(
      {
        headersTimeout: HEADERS_TIMEOUT_MS,
        // Of all requests alike: some may take longer. See Arrivals.
        requestTimeout: 0,
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
      if (isFlow(incoming) || !(Number(incoming.headers["content-length"]) > VALUE_MAX_BYTES)) outgoing.writeContinue();
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
        this.#looking = setInterval(() => this.#hurry(), TIMEOUTS_LOOK_MS);
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
    await untilRead();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    const idle = setInterval(() => void untilRead().then(() => this.#closeIdle()), IDLE_LOOK_MS);
    const deadline = setTimeout(() => this.#server.closeAllConnections(), DRAIN_MAX_MS);
    await closed;
    clearInterval(idle);
    if (this.#looking) clearInterval(this.#looking);
    clearTimeout(deadline);
  }

  #welcome(socket: Socket): void {
    if (this.#sockets.size >= this.#connectionsMax) this.#surplus.add(socket);
    this.#sockets.set(socket, performance.now());
    socket.once("close", () => this.#sockets.delete(socket));
  }

  #hurry(): void {
    for (const { connection, flows } of this.#arrivals.look()) {
      // What flows may be in the middle of its answer.
      if (flows) connection.destroy();
      else this.#refuse({ code: "ERR_HTTP_REQUEST_TIMEOUT" }, connection);
    }
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

  #refuse(error: Pick<NodeJS.ErrnoException, "code">, socket: Socket): void {
    if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
    const { status, headers, body } = this.#app.refuse(refusalOf(error.code));
    const all = { Connection: "close", ...headers, "Content-Length": lengthOf(body) };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n${body}`);
  }
}

/**
 * Resolves when what had come by now is read. Timers come before connections are looked at: a process that got no
 * processor for a while would close a connection as idle whose next request the system has had all the time.
 */
function untilRead(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** May the body come for as long as it moves? */
function isFlow({ url }: IncomingMessage): boolean {
  return url?.startsWith(BATCH_PREFIX) === true;
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
