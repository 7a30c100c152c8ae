/**
 * Namespace and key of a request, from its target. Pure.
 *
 * The key is everything after the namespace, slashes included, percent-decoded once: `a%2Fb` and `a/b` are one key.
 * Clients and proxies resolve `.` and `..` as whole segments (RFC 3986, 5.2.4), some of them and not always: a path that
 * still holds one would name another key depending on its way, so it is refused. Encoded slashes make such a key plain.
 */
import { KEY_MAX_BYTES, NAMESPACE_MAX_CHARS } from "../core/limits.ts";
import { SYSTEM_NAMESPACE } from "../core/partition.ts";
import { ProblemError } from "./errors.ts";
import { splitTarget, type Target } from "./target.ts";

export interface KeyPath extends Target {
  readonly namespace: string;
  readonly key: string;
}

export const KV_PREFIX = "/v1/kv/";
export const KEY_PATH = `${KV_PREFIX}{namespace}/{key}` as const;
export const NAMESPACE_PATH = "/v1/kv/{namespace}";

/** Namespaces that clients may name: those that begin with `@` are pinned to a partition, and one of them is our own. */
export const NAMESPACE_PATTERN = new RegExp(
  `^(?!${SYSTEM_NAMESPACE}$)(?=.{1,${NAMESPACE_MAX_CHARS}}$)@?[A-Za-z0-9][A-Za-z0-9._-]*$`,
);
/** Nothing to decode, to measure in bytes, or to refuse: almost every key. */
const PLAIN_KEY = new RegExp(`^[A-Za-z0-9_~!$&'()*+,;=:@/-]{1,${KEY_MAX_BYTES}}$`);
const DOT_SEGMENT = /(?:^|\/)(?:\.|%2e){1,2}(?:\/|$)/i;
/** Control characters (Unicode category Cc), NUL among them: they break logs, headers and terminals. */
const CONTROL_CHARACTERS = /\p{Cc}/u;
/** URL parsers end a path at one and turn the other into a slash. */
const UNENCODED = /[#\\]/;

/** As clients write it: one segment, so that nothing in it is taken for a part of the path. */
export function pathOfKey(namespace: string, key: string): string {
  return `${KV_PREFIX}${namespace}/${encodeURIComponent(key)}`;
}

const encoder = new TextEncoder();

/** Does a target that begins with KV_PREFIX name a key, though maybe an empty one? Else it names a namespace. */
export function namesKey(target: string): boolean {
  const slash = target.indexOf("/", KV_PREFIX.length);
  if (slash < 0) return false;
  const mark = target.indexOf("?", KV_PREFIX.length);
  return mark < 0 || slash < mark;
}

/** @throws ProblemError when the target is not that of a namespace */
export function parseNamespacePath(target: string): Target & { readonly namespace: string } {
  const { path, query } = splitTarget(target);
  return { path, query, namespace: parseNamespace(path.slice(KV_PREFIX.length)) };
}

/** @throws ProblemError when the target is not that of a key */
export function parseKeyPath(target: string): KeyPath {
  const { path, query } = splitTarget(target);
  const slash = path.indexOf("/", KV_PREFIX.length);
  const namespace = parseNamespace(path.slice(KV_PREFIX.length, slash < 0 ? undefined : slash));
  const encoded = slash < 0 ? "" : path.slice(slash + 1);
  return { path, query, namespace, key: PLAIN_KEY.test(encoded) ? encoded : decodeKey(encoded) };
}

/**
 * The namespace that a segment of a path names. Only its `@` may be percent-encoded, as encodeURIComponent does.
 * @throws ProblemError `invalid-namespace`
 */
export function parseNamespace(segment: string): string {
  const namespace = segment.startsWith("%40") ? `@${segment.slice("%40".length)}` : segment;
  if (NAMESPACE_PATTERN.test(namespace)) return namespace;
  if (namespace === SYSTEM_NAMESPACE) throw new ProblemError("invalid-namespace", `${SYSTEM_NAMESPACE} is reserved.`);
  throw new ProblemError(
    "invalid-namespace",
    `A namespace is 1 to ${NAMESPACE_MAX_CHARS} letters, digits, dots, dashes and underscores, the first of them a letter or digit, or @ and one.`,
  );
}

function decodeKey(encoded: string): string {
  if (encoded === "") throw new ProblemError("invalid-key", "The key is empty.");
  if (DOT_SEGMENT.test(encoded)) {
    throw new ProblemError("invalid-key", "A segment of the path is . or .., which URL parsers resolve.");
  }
  if (UNENCODED.test(encoded)) throw new ProblemError("invalid-key", "# and \\ must be percent-encoded.");
  let key: string;
  try {
    key = decodeURIComponent(encoded);
  } catch {
    throw new ProblemError("invalid-key", "The key is not percent-encoded UTF-8.");
  }
  return checkKey(key);
}

/** @throws ProblemError `invalid-key`, `key-too-long` when a namespace cannot hold a key of that name */
export function checkKey(key: string): string {
  if (key === "") throw new ProblemError("invalid-key", "The key is empty.");
  if (key === "." || key === "..") {
    throw new ProblemError("invalid-key", "No path can name it: URL parsers resolve it.");
  }
  if (!key.isWellFormed()) throw new ProblemError("invalid-key", "The key is not Unicode text.");
  if (CONTROL_CHARACTERS.test(key)) throw new ProblemError("invalid-key", "The key holds a control character.");
  if (key.length * 3 > KEY_MAX_BYTES && encoder.encode(key).byteLength > KEY_MAX_BYTES) {
    throw new ProblemError("key-too-long", `A key has at most ${KEY_MAX_BYTES} bytes.`);
  }
  return key;
}
