/** The server under test as a check sees it: an HTTP client, and names that nobody else uses. */
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { type EventStream, openEventStream, type StreamOptions } from "../harness/event-stream.ts";
import { type HttpClient, httpClient } from "../harness/http.ts";
import type { Exchanges } from "./exchanges.ts";

export interface Subject extends HttpClient {
  /** All that the checks of a feature write is in namespaces that begin with this. */
  readonly namespace: string;
  /** The same requests without the token of the run. */
  readonly stranger: HttpClient;
  /** The header lines that say who asks, for {@link raw}; empty where nobody need say. */
  readonly credentials: string;
  /** A key that no check before has used. */
  readonly newKey: () => string;
  /** Opens `GET /v1/watch/<about>`. */
  readonly watch: (about: string, options?: StreamOptions) => Promise<EventStream>;
  /** Sends bytes as they are, and returns all that comes back until the connection closes. */
  readonly raw: (bytes: string) => Promise<string>;
}

export interface Target {
  /** `http://host:port`, without a path. */
  readonly url: string;
  readonly token?: string | undefined;
}

const RAW_TIMEOUT_MS = 5000;
let keys = 0;

export function subjectOf({ url, token }: Target, namespace: string, exchanges: Exchanges): Subject {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const open = (always: Record<string, string>) =>
    httpClient(url, {
      described: false,
      sockets: 16,
      headers: always,
      onAnswer: (method, path, answer) => exchanges.add(method, path, answer),
    });
  return {
    ...open(headers),
    stranger: open({}),
    credentials: token === undefined ? "" : `Authorization: Bearer ${token}\r\n`,
    namespace,
    newKey: () => {
      keys += 1;
      return `key-${keys}`;
    },
    watch: async (about, options = {}) => {
      const stream = await openEventStream(url, about, { ...options, headers: { ...headers, ...options.headers } });
      const { status, headers: answered } = stream;
      exchanges.add("GET", `/v1/watch/${about}`, {
        status,
        headers: answered,
        body: Buffer.from(stream.text || "events"),
      });
      return stream;
    },
    raw: (bytes) => sendRaw(new URL(url), bytes),
  };
}

function sendRaw({ protocol, hostname, port }: URL, bytes: string): Promise<string> {
  const tls = protocol === "https:";
  const place = { host: hostname, port: Number(port || (tls ? 443 : 80)) };
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = tls ? connectTls({ ...place, servername: hostname }) : connect(place);
    socket.once(tls ? "secureConnect" : "connect", () => socket.write(bytes));
    // Not before: who has said all and not sent what it announced is cut short, and may be told that instead.
    socket.once("data", () => socket.end());
    socket.setTimeout(RAW_TIMEOUT_MS, () => socket.destroy(new Error(`no answer to ${JSON.stringify(bytes)}`)));
    socket.on("data", (data) => {
      answer += data.toString("latin1");
    });
    socket.once("close", () => resolve(answer));
    socket.once("error", reject);
  });
}
