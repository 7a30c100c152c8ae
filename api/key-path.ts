/**
 * Namespace and key of a request, from its URL. Pure.
 *
 * The key is everything after the namespace, slashes included, percent-decoded once: `a%2Fb` and `a/b` are one key.
 * `.` and `..` as whole segments never get here: URL parsers resolve them (RFC 3986, 5.2.4).
 */
import { KEY_MAX_BYTES, NAMESPACE_MAX_CHARS } from "../core/limits.ts";
import { ProblemError } from "./errors.ts";

export interface KeyPath {
  readonly namespace: string;
  readonly key: string;
  /** The path as it came, for Location. */
  readonly path: string;
  readonly query: URLSearchParams | null;
}

export const KV_PREFIX = "/v1/kv/";

const NAMESPACE_PATTERN = new RegExp(`^[A-Za-z0-9][A-Za-z0-9._-]{0,${NAMESPACE_MAX_CHARS - 1}}$`);
/** Control characters (Unicode category Cc), NUL among them: they break logs, headers and terminals. */
const CONTROL_CHARACTERS = /\p{Cc}/u;

const encoder = new TextEncoder();

/** @throws ProblemError when the path is not that of a key */
export function parseKeyPath(url: string): KeyPath {
  const start = url.indexOf("/", url.indexOf("//") + 2);
  const queryStart = url.indexOf("?", start);
  const path = queryStart < 0 ? url.slice(start) : url.slice(start, queryStart);
  const slash = path.indexOf("/", KV_PREFIX.length);
  const namespace = path.slice(KV_PREFIX.length, slash < 0 ? undefined : slash);
  if (!NAMESPACE_PATTERN.test(namespace)) {
    throw new ProblemError(
      "invalid-namespace",
      `A namespace is 1 to ${NAMESPACE_MAX_CHARS} letters, digits, dots, dashes and underscores.`,
    );
  }
  const key = decodeKey(slash < 0 ? "" : path.slice(slash + 1));
  return { namespace, key, path, query: queryStart < 0 ? null : new URLSearchParams(url.slice(queryStart + 1)) };
}

function decodeKey(encoded: string): string {
  if (encoded === "") throw new ProblemError("invalid-key", "The key is empty.");
  let key: string;
  try {
    key = encoded.includes("%") ? decodeURIComponent(encoded) : encoded;
  } catch {
    throw new ProblemError("invalid-key", "The key is not percent-encoded UTF-8.");
  }
  if (CONTROL_CHARACTERS.test(key)) throw new ProblemError("invalid-key", "The key holds a control character.");
  if (key.length * 3 > KEY_MAX_BYTES && encoder.encode(key).byteLength > KEY_MAX_BYTES) {
    throw new ProblemError("key-too-long", `A key has at most ${KEY_MAX_BYTES} bytes.`);
  }
  return key;
}

/** Refuses parameters that would otherwise be silently without effect. */
export function onlyParameters(query: URLSearchParams | null, known: readonly string[]): void {
  if (query === null) return;
  for (const name of query.keys()) {
    if (!known.includes(name))
      throw new ProblemError("unknown-parameter", `The parameter ${JSON.stringify(name)} is not known here.`);
  }
}
