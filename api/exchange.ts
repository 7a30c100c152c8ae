/**
 * A request and its answer as the handlers see them: less than `Request` and `Response` are, so that a server can give and
 * take them at no cost, and any runtime with fetch can too.
 */
import type { Span } from "@opentelemetry/api";
import { readBody, readChunks } from "./body.ts";
import type { Caller } from "./caller.ts";
import { JSON_TYPE } from "./media-type.ts";
import { NO_SPAN } from "./request-span.ts";
import { DOCUMENT_HEADERS } from "./security-headers.ts";

export interface Incoming {
  readonly method: string;
  /** Path and query as they came: percent-encoding is untouched. */
  readonly target: string;
  /** A header by its name in lower case, several of it joined by commas; null when it did not come. */
  header(name: string): string | null;
  /** Who is at the other end of the connection, a proxy's address where there is one; null when it is not known. */
  readonly address: string | null;
  /** The body's bytes, at most the limit of a value. Asked for at most once. @throws ProblemError */
  body(): Promise<Uint8Array>;
  /** The same as it comes, of any length: what is not asked for is not read. Not both. Breaks off with a ProblemError. */
  chunks(): AsyncIterable<Uint8Array>;
  /** Aborted when the client goes away before it has its answer. Made when it is first asked for. */
  readonly gone: AbortSignal;
  /** Of its answering; one of nothing until its route is known. */
  span: Span;
}

export interface Answer {
  readonly status: number;
  /** Its own object: whoever passes the answer on may add to it. Content-Length follows from the body. */
  readonly headers: Record<string, string>;
  /**
   * Null: none, and for 204 and 304 not even an empty one. A stream is sent as it comes, is asked for more only when the
   * client has taken what was there, and is cancelled when the client goes. One that fails cuts the connection off.
   */
  readonly body: string | Uint8Array | ReadableStream<Uint8Array> | null;
}

/** One whose body is text, as that of every problem is. */
export interface TextAnswer extends Answer {
  readonly body: string;
}

/** A document that is true now and may be another one a moment later. */
export function jsonAnswer(document: unknown): TextAnswer {
  return jsonTextAnswer(`${JSON.stringify(document)}
`);
}

/** The same of JSON that is written already. */
export function jsonTextAnswer(text: string): TextAnswer {
  return {
    status: 200,
    headers: { "Content-Type": JSON_TYPE, "Cache-Control": "no-store", ...DOCUMENT_HEADERS },
    body: text,
  };
}

/**
 * A handler of one route; what it throws becomes a problem.
 * @param caller has shown what its route states; what is beyond that he must be asked for
 */
export type Handler = (incoming: Incoming, caller: Caller) => Promise<Answer>;

/** How any runtime with fetch gives a request. Its URL parser has resolved `.` and `..` already. */
export function fromRequest(request: Request, address: string | null = null): Incoming {
  const { url, method, headers } = request;
  return {
    method,
    target: url.slice(url.indexOf("/", url.indexOf("//") + 2)),
    header: (name) => headers.get(name),
    address,
    body: () => readBody(request),
    chunks: () => readChunks(request),
    get gone() {
      return request.signal;
    },
    span: NO_SPAN,
  };
}

export function toResponse({ status, headers, body }: Answer): Response {
  // The DOM's types do not say that a Uint8Array may be backed by shared memory; ours never is.
  return new Response(body as string | Uint8Array<ArrayBuffer> | ReadableStream | null, { status, headers });
}
