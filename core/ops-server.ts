/**
 * The ops port of a process: live, ready and metrics. Not for the public: bind it where only the cluster can reach it.
 */
import { createServer, type Server, type ServerResponse } from "node:http";
import { describeError } from "./errors.ts";
import type { Service } from "./service.ts";

export interface OpsReport {
  /** The process can still do its work, or get back to it by itself. */
  readonly live: () => boolean;
  /** Send it work now. The text says what is missing. */
  readonly ready: () => { readonly ok: boolean; readonly detail: Record<string, unknown> };
  /** Prometheus text format. */
  readonly metrics: () => Promise<string>;
}

export class OpsServer implements Service {
  readonly #server: Server;
  readonly #host: string;
  readonly #port: number;

  constructor(host: string, port: number, report: OpsReport) {
    this.#host = host;
    this.#port = port;
    this.#server = createServer((request, response) => {
      switch (request.url) {
        case "/healthz/live":
          return answer(response, report.live() ? 200 : 503, { live: report.live() });
        case "/healthz/ready": {
          const { ok, detail } = report.ready();
          return answer(response, ok ? 200 : 503, { ready: ok, ...detail });
        }
        case "/metrics":
          return void report.metrics().then(
            (page) => {
              response.writeHead(200, { "content-type": "text/plain; version=0.0.4; charset=utf-8" });
              response.end(page);
            },
            (error: unknown) => answer(response, 500, { error: describeError(error) }),
          );
        default:
          return answer(response, 404, { error: "not found" });
      }
    });
  }

  /** @throws Error that says so when the port is taken */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", (error: NodeJS.ErrnoException) => {
        reject(error.code === "EADDRINUSE" ? new Error(`OPS_PORT ${this.#port} is in use on ${this.#host}`) : error);
      });
      this.#server.listen(this.#port, this.#host, resolve);
    });
  }

  stop(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }
}

function answer(response: ServerResponse, status: number, body: Record<string, unknown>): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(`${JSON.stringify(body)}\n`);
}
