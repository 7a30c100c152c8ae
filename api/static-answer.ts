/**
 * Answers whose bytes do not change while the process runs: with an ETag of their own, and 304 to who has them already.
 */
import type { Answer, Incoming } from "./exchange.ts";
import { isNotModified } from "./precondition.ts";

export interface StaticDocument {
  readonly body: string | Uint8Array;
  /** Quoted. */
  readonly etag: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** @param headers Content-Type, and what else the answers have; Cache-Control is to ask each time, unless it is given */
export async function staticDocument(
  body: string | Uint8Array,
  headers: Readonly<Record<string, string>>,
): Promise<StaticDocument> {
  return {
    body,
    etag: `"${await fingerprint(body)}"`,
    headers: { "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff", ...headers },
  };
}

export function answerStatic(incoming: Incoming, { body, etag, headers }: StaticDocument): Answer {
  const all: Record<string, string> = { ...headers, ETag: etag };
  if (isNotModified(incoming.header("if-none-match"), etag)) {
    delete all["Content-Type"];
    return { status: 304, headers: all, body: null };
  }
  if (incoming.method !== "HEAD") return { status: 200, headers: all, body };
  all["Content-Length"] = String(bytesOf(body).byteLength);
  return { status: 200, headers: all, body: null };
}

/** The beginning of the SHA-256 of it: another content has another one. */
export async function fingerprint(body: string | Uint8Array): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytesOf(body)));
  return Array.from(hash.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// The DOM's types do not say that a Uint8Array may be backed by shared memory; ours never is.
function bytesOf(body: string | Uint8Array): Uint8Array<ArrayBuffer> {
  return typeof body === "string" ? new TextEncoder().encode(body) : (body as Uint8Array<ArrayBuffer>);
}
