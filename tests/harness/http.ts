/** A client of the HTTP contract over kept-alive connections: it tells every answer as it came and repeats nothing. */
import { Agent, type IncomingHttpHeaders, request } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";
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
  readonly send: (method: string, path: string, options?: SendOptions) => Promise<Answer>;
  readonly put: (namespace: string, key: string, value: string | Buffer, options?: SendOptions) => Promise<Answer>;
  readonly get: (namespace: string, key: string, options?: SendOptions) => Promise<Answer>;
  readonly remove: (namespace: string, key: string, options?: SendOptions) => Promise<Answer>;
  readonly increment: (namespace: string, key: string, by?: string, options?: SendOptions) => Promise<Answer>;
  /** `POST /v1/txn/{namespace}`. */
  readonly commit: (
    namespace: string,
    operations: readonly unknown[],
    conditions?: readonly unknown[],
    options?: SendOptions,
  ) => Promise<Answer>;
  /** `GET /v1/commands/{id}`. */
  readonly command: (revision: string, waitS?: number) => Promise<Answer>;
}

const TIMEOUT_MS = 15_000;

export const WAIT = { headers: { prefer: "wait=10" } } as const;

export interface ClientOptions {
  readonly sockets?: number;
  /** Sent with every request: who asks. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Every answer is held against the description of its route, unless this is false: one that breaks it is a failure. */
  readonly described?: boolean;
  /** Told of every answer, and what it answers. */
  readonly onAnswer?: (method: string, path: string, answer: Answer) => void;
}

export function httpClient(url: string, options: ClientOptions = {}): HttpClient {
  const { sockets = 64, headers: always = {}, described = true, onAnswer } = options;
  const tls = url.startsWith("https:");
  const agent = new (tls ? TlsAgent : Agent)({ keepAlive: true, maxSockets: sockets });
  cleanUpLater(() => agent.destroy());
  const start = tls ? tlsRequest : request;
  const { hostname, port } = new URL(url);
  const place = { hostname, ...(port !== "" && { port }) };

  const send: HttpClient["send"] = (method, path, { headers = {}, body, timeoutMs = TIMEOUT_MS, onSent } = {}) =>
    new Promise((resolve, reject) => {
      const about = `${method} ${path}`;
      const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
      const all = { ...always, ...length, ...headers };
      // The path as it is: a URL's parser would resolve its dots and turn its backslashes.
      const outgoing = start({ ...place, path, method, agent, headers: all }, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.once("error", reject);
        incoming.once("close", () => {
          clearTimeout(timer);
          if (!incoming.complete) reject(new Error(`${about}: the answer is cut off`));
          const whole = Buffer.concat(chunks);
          const { statusCode: status = 0, headers: answered } = incoming;
          const answer = { status, headers: answered, body: whole, text: whole.toString() };
          onAnswer?.(method, path, answer);
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
    commit: (namespace, operations, conditions = [], options) =>
      send("POST", `/v1/txn/${namespace}`, {
        ...options,
        headers: { "content-type": "application/json", ...options?.headers },
        body: `{"if":${JSON.stringify(conditions)},"then":${JSON.stringify(operations)}}`,
      }),
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
