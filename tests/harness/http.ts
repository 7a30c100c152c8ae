/** A client of the HTTP contract over kept-alive connections: it tells every answer as it came and repeats nothing. */
import { Agent, type IncomingHttpHeaders, request } from "node:http";
import { formatRevision, parseRevision, type Revision } from "../../core/entry-id.ts";
import { PARTITIONS_MAX } from "../../core/limits.ts";
import { breachOf } from "./contract.ts";
import { cleanUpLater } from "./running.ts";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
}

export interface SendOptions {
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
  /** An answer that takes longer is a failure: nothing may hang. */
  readonly timeoutMs?: number;
  /** The request's last byte has been given to the system. */
  readonly onSent?: () => void;
}

export interface HttpClient {
  send(method: string, path: string, options?: SendOptions): Promise<Answer>;
  put(namespace: string, key: string, value: string | Buffer, options?: SendOptions): Promise<Answer>;
  get(namespace: string, key: string, options?: SendOptions): Promise<Answer>;
  remove(namespace: string, key: string, options?: SendOptions): Promise<Answer>;
  increment(namespace: string, key: string, by?: string, options?: SendOptions): Promise<Answer>;
  /** `GET /v1/commands/{id}`. */
  command(revision: string, waitS?: number): Promise<Answer>;
}

const TIMEOUT_MS = 15_000;

export const WAIT = { headers: { prefer: "wait=10" } } as const;

/** @param described every answer is held against the description of its route: one that breaks it is a failure */
export function httpClient(url: string, { sockets = 64, described = true } = {}): HttpClient {
  const agent = new Agent({ keepAlive: true, maxSockets: sockets });
  cleanUpLater(() => agent.destroy());

  const send: HttpClient["send"] = (method, path, { headers = {}, body, timeoutMs = TIMEOUT_MS, onSent } = {}) =>
    new Promise((resolve, reject) => {
      const about = `${method} ${path}`;
      const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
      const outgoing = request(`${url}${path}`, { method, agent, headers: { ...length, ...headers } }, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.once("error", reject);
        incoming.once("close", () => {
          clearTimeout(timer);
          if (!incoming.complete) reject(new Error(`${about}: the answer is cut off`));
          const all = Buffer.concat(chunks);
          const { statusCode: status = 0, headers } = incoming;
          const answer = { status, headers, body: all, text: all.toString() };
          const breach = described ? breachOf(method, outgoing.path, answer) : null;
          if (breach === null) resolve(answer);
          else reject(new Error(`${about}: the answer ${status} ${answer.text} has what is not described: ${breach}`));
        });
      });
      const timer = setTimeout(() => {
        outgoing.destroy(new Error(`${about}: no answer in ${timeoutMs} ms`));
      }, timeoutMs);
      outgoing.once("error", (error) => {
        clearTimeout(timer);
        reject(error);
      });
      if (onSent) outgoing.once("finish", onSent);
      outgoing.end(body);
    });

  return {
    send,
    put: (namespace, key, value, options) =>
      send("PUT", pathOf(namespace, key), {
        ...options,
        headers: { "content-type": "text/plain", ...options?.headers },
        body: value,
      }),
    get: (namespace, key, options) => send("GET", pathOf(namespace, key), options),
    remove: (namespace, key, options) => send("DELETE", pathOf(namespace, key), options),
    increment: (namespace, key, by = "1", options) =>
      send("POST", `${pathOf(namespace, key)}?increment=${by}`, options),
    command: (revision, waitS = 0) => send("GET", `/v1/commands/${revision}?wait=${waitS}`),
  };
}

function pathOf(namespace: string, key: string): string {
  return `/v1/kv/${encodeURIComponent(namespace)}/${encodeURIComponent(key)}`;
}

/** The revision that an answer names. Fails when it names none. */
export function revisionOf(answer: Answer): Revision & { readonly text: string } {
  const text = String(answer.headers["millrace-revision"]);
  const revision = parseRevision(text, PARTITIONS_MAX);
  if (revision === null) throw new Error(`no revision in ${answer.status} ${JSON.stringify(answer.headers)}`);
  return { ...revision, text: formatRevision(revision.partition, revision.id) };
}

/** Returns the revision of a command that was accepted; fails at any other answer. */
export function accepted(answer: Answer): Revision & { readonly text: string } {
  if (answer.status !== 202) throw new Error(`expected 202, got ${answer.status}: ${answer.text}`);
  return revisionOf(answer);
}

/** Returns the revision of a command that its client was told is applied; fails at any other answer. */
export function applied(answer: Answer): Revision & { readonly text: string } {
  if (![200, 201, 204].includes(answer.status)) throw new Error(`not applied: ${answer.status} ${answer.text}`);
  return revisionOf(answer);
}
