/** What the suite has seen of the server: for each kind of exchange one record, so that it can be held against a document. */
import type { Answer } from "../harness/http.ts";

export interface Exchange {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly status: number;
  /** Without parameters; null where there was no body. */
  readonly mediaType: string | null;
  /** Names in lower case, sorted; only those that the server chose to send, not those of the connection. */
  readonly headers: readonly string[];
}

/** Of HTTP itself and of the connection (RFC 9110, 6.6 and 7.6); Content-Type is recorded apart. */
const UNRECORDED = new Set(["connection", "content-length", "content-type", "date", "keep-alive", "transfer-encoding"]);

export class Exchanges {
  readonly #seen = new Map<string, Exchange>();

  add(method: string, target: string, { status, headers, body }: Pick<Answer, "status" | "headers" | "body">): void {
    const [path = ""] = target.split("?", 1);
    const type = headers["content-type"];
    const exchange: Exchange = {
      method,
      path,
      status,
      mediaType:
        body.byteLength === 0 || type === undefined ? null : (type.split(";", 1)[0] ?? "").trim().toLowerCase(),
      headers: Object.keys(headers)
        .filter((name) => !UNRECORDED.has(name))
        .sort(),
    };
    this.#seen.set(JSON.stringify(exchange), exchange);
  }

  /** Each kind once. */
  all(): readonly Exchange[] {
    return [...this.#seen.values()];
  }
}
