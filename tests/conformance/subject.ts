/** The server under test as a check sees it: an HTTP client, and names that nobody else uses. */
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { type HttpClient, httpClient } from "../harness/http.ts";
import type { Exchanges } from "./exchanges.ts";

export interface Subject extends HttpClient {
  /** All that the checks of a feature write is in namespaces that begin with this. */
  readonly namespace: string;
  /** A key that no check before has used. */
  readonly newKey: () => string;
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
  const client = httpClient(url, {
    described: false,
    sockets: 16,
    ...(token !== undefined && { headers: { authorization: `Bearer ${token}` } }),
    onAnswer: (method, path, answer) => exchanges.add(method, path, answer),
  });
  return {
    ...client,
    namespace,
    newKey: () => {
      keys += 1;
      return `key-${keys}`;
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
    socket.once(tls ? "secureConnect" : "connect", () => socket.end(bytes));
    socket.setTimeout(RAW_TIMEOUT_MS, () => socket.destroy(new Error(`no answer to ${JSON.stringify(bytes)}`)));
    socket.on("data", (data) => {
      answer += data.toString("latin1");
    });
    socket.once("close", () => resolve(answer));
    socket.once("error", reject);
  });
}
