/**
 * Where a list goes on. What a cursor says is nobody's business: it may change, and its first byte is its version.
 *
 * It holds a key, and the namespace and prefix it belongs to; nothing of it is kept anywhere, so that it survives
 * whatever happens to keys and processes in between.
 */
import { decodeBase64Url, encodeBase64Url } from "../core/base64.ts";
import { compareKeys, keyBytes } from "../core/key-bytes.ts";
import { ProblemError } from "./errors.ts";

const VERSION = 1;
/** Version, length of the namespace, length of the prefix in two bytes. */
const HEAD_BYTES = 4;
/** Longer than the cursor of the longest namespace and key. */
const CURSOR_MAX_CHARS = 2000;

/** @param after the list goes on behind this key, which begins with the prefix */
export function formatListCursor(namespace: string, prefix: Uint8Array, after: Uint8Array): string {
  const name = keyBytes(namespace);
  const bytes = [VERSION, name.byteLength, prefix.byteLength >> 8, prefix.byteLength & 0xff, ...name, ...after];
  return encodeBase64Url(Uint8Array.from(bytes));
}

/**
 * The key behind which the list goes on.
 * @throws ProblemError `invalid-cursor` when it is none of ours, or one of another namespace or prefix
 */
export function parseListCursor(text: string, namespace: string, prefix: Uint8Array): Uint8Array {
  const bytes = text.length <= CURSOR_MAX_CHARS ? decodeBase64Url(text) : null;
  if (bytes === null || bytes[0] !== VERSION) {
    throw new ProblemError("invalid-cursor", "It is not one that an answer gave.");
  }
  const [, nameLength = 0, high = 0, low = 0] = bytes;
  const name = bytes.subarray(HEAD_BYTES, HEAD_BYTES + nameLength);
  const after = bytes.subarray(HEAD_BYTES + nameLength);
  const same = (a: Uint8Array, b: Uint8Array) => compareKeys(a, b) === 0;
  if (
    !same(name, keyBytes(namespace)) ||
    high * 256 + low !== prefix.byteLength ||
    !same(after.subarray(0, prefix.byteLength), prefix)
  ) {
    throw new ProblemError("invalid-cursor", "It belongs to another namespace or prefix.");
  }
  return after;
}
