/**
 * `GET /v1/kv/{namespace}?prefix=&limit=&cursor=&values=`: the keys of a namespace in the order of their UTF-8 bytes, a
 * page a call.
 *
 * Pages hold no snapshot: a key that exists throughout is in exactly one of them, one that comes or goes meanwhile in one
 * or none. How new a page is: see current-read.ts; every partition keeps it for itself.
 */
import { z } from "zod";
import { formatRevision } from "../../core/entry-id.ts";
import type { KeyPage, ListedKey } from "../../core/functions/list-keys.ts";
import { keyBytes, keyText } from "../../core/key-bytes.ts";
import {
  LIST_MAX_KEYS,
  LIST_PAGE_MAX_BYTES,
  LIST_ROUND_MAX_BYTES,
  LIST_ROUND_MAX_MEMBERS,
  LIST_ROUNDS_MAX,
  LIST_WHOLE_MAX_BYTES,
} from "../../core/limits.ts";
import { partitionsOf } from "../../core/partition.ts";
import { isLive, type StoredValue } from "../../core/stored-value.ts";
import { readCurrent } from "../current-read.ts";
import type { AppDependencies } from "../dependencies.ts";
import { type Handler, type Incoming, jsonTextAnswer } from "../exchange.ts";
import { tellMoment } from "../expiry.ts";
import { type Candidate, KeyMerge, type Merged, type Wanted } from "../key-merge.ts";
import { NAMESPACE_PATH, parseNamespacePath } from "../key-path.ts";
import { formatListCursor, parseListCursor } from "../list-cursor.ts";
import { describeRoute, jsonDocument } from "../openapi/description.ts";
import { keyParameters, prefixSchema, revisionSchema } from "../openapi/parameters.ts";
import { parseMinRevisions } from "../precondition.ts";
import { flag, Query, REPLICA_PARAMETER, wholeNumber } from "../query.ts";
import { checkEncoding } from "../target.ts";
import { base64Of, textOf } from "../value-text.ts";

const LIMIT_DEFAULT = 100;

const listedKeySchema = z
  .strictObject({
    key: z.string(),
    revision: revisionSchema,
    expires_at: z.number().optional().describe("In seconds since the epoch."),
    content_type: z.string(),
    size: z.int().describe("Bytes of the value."),
    value: z.string().optional(),
    encoding: z.enum(["text", "base64"]).optional().describe("How the value is told: text where it is UTF-8."),
    metadata: z.json().optional(),
  })
  .meta({ id: "ListedKey" });

const pageSchema = z.strictObject({
  keys: z.array(listedKeySchema),
  cursor: z.string().nullable().describe("Where the list goes on; null at its end."),
  list_complete: z.boolean(),
});

export const listKeysRoute = describeRoute({
  operationId: "listKeys",
  tag: "values",
  method: "GET",
  path: NAMESPACE_PATH,
  summary: "List keys by prefix, a page a call",
  description:
    "In the order of their UTF-8 bytes. Pages hold no snapshot: a key that exists throughout is in exactly one of them. A page " +
    "may be shorter than its limit, or empty: the list goes on where there is a cursor.",
  parameters: { namespace: keyParameters.namespace },
  query: new Query(
    {
      prefix: prefixSchema,
      limit: wholeNumber(1, LIST_MAX_KEYS).default(LIMIT_DEFAULT).describe("Keys in one page."),
      cursor: z.string().optional().describe("As the page before gave it, for the same namespace and prefix."),
      values: flag("With each key's value."),
      consistency: REPLICA_PARAMETER,
    },
    "invalid-parameter",
  ),
  headers: ["MinRevision", "Prefer"],
  answers: { 200: jsonDocument("A page of keys.", pageSchema) },
  problems: [
    "invalid-namespace",
    "invalid-cursor",
    "invalid-revision",
    "store-unavailable",
    "revision-not-reached",
    "partition-recovering",
  ],
});

/** What is asked for, read from the request. */
interface Asked {
  readonly namespace: string;
  readonly prefix: Uint8Array;
  readonly limit: number;
  readonly after: Uint8Array | null;
  readonly values: boolean;
  readonly replica: boolean;
}

/** A key that some partition has. */
interface Found extends Candidate, ListedKey {
  readonly partition: number;
}

type ReadPartition = <R extends Pick<KeyPage, "watermark">>(
  partition: number,
  read: (store: Pick<AppDependencies["store"], "read" | "list">) => Promise<R>,
) => Promise<R>;

export function listKeys(deps: AppDependencies): Handler {
  return async (incoming) => {
    const asked = parseAsked(incoming);
    const { namespace, prefix, replica, values } = asked;
    const newest = parseMinRevisions(incoming.header("millrace-min-revision"), deps.partitions);
    const store = replica ? deps.replicas : deps.store;
    const read: ReadPartition = (partition, from) =>
      readCurrent(deps, incoming, { partition, least: newest.get(partition) ?? null, replica }, () => from(store));
    const { keys, reached } = await collect(deps, asked, read);
    const told = await Promise.all(
      keys.map(async (found) => {
        const stored = !values || found.whole ? found.stored : await readValue(deps, read, namespace, found);
        return stored && tell(found, stored, values);
      }),
    );
    const cursor = reached && formatListCursor(namespace, prefix, reached);
    const rest = JSON.stringify({ cursor, list_complete: cursor === null });
    return jsonTextAnswer(`{"keys":[${told.filter((text) => text !== null).join(",")}],${rest.slice(1)}\n`);
  };
}

function parseAsked(incoming: Incoming): Asked {
  const { namespace, query } = parseNamespacePath(incoming.target);
  const { limit, cursor, values, consistency, ...given } = listKeysRoute.query.read(query);
  const prefix = keyBytes(given.prefix);
  checkEncoding(incoming.target);
  const after = cursor === undefined ? null : parseListCursor(cursor, namespace, prefix);
  return { namespace, prefix, limit, after, values, replica: consistency !== undefined };
}

/** All partitions of a round are read together. */
async function collect(deps: AppDependencies, asked: Asked, read: ReadPartition): Promise<Merged<Found>> {
  const { namespace, prefix, limit, after, values } = asked;
  const nowMs = deps.now();
  const merge = new KeyMerge<Found>(partitionsOf(namespace, deps.partitions), after, limit, LIST_PAGE_MAX_BYTES);
  for (let round = 0; round < LIST_ROUNDS_MAX; round += 1) {
    const wanted = merge.wanted();
    if (wanted.length === 0) break;
    const share = shareOfRound(wanted);
    await Promise.all(
      wanted.map(async ({ partition, after, keys }) => {
        const range = { prefix, after, nowMs, keys, wholeMaxBytes: values ? LIST_WHOLE_MAX_BYTES : 0, ...share };
        const page = await read(partition, (store) => store.list(partition, namespace, range));
        merge.add(
          partition,
          page.keys.map((found) => ({ ...found, partition, weight: weightOf(found, values) })),
          page.reached,
        );
      }),
    );
  }
  return merge.take();
}

/** Whatever the number of partitions, a round reads and looks at no more than one of a single one may. */
function shareOfRound(wanted: readonly Wanted[]): { bytes: number; members: number } {
  const share = (of: number) => Math.ceil(of / wanted.length);
  const keys = Math.max(...wanted.map((want) => want.keys));
  return { bytes: share(LIST_ROUND_MAX_BYTES), members: Math.max(keys, share(LIST_ROUND_MAX_MEMBERS)) };
}

function weightOf({ key, stored, sizeBytes }: ListedKey, values: boolean): number {
  const { contentType, metadata = "" } = stored;
  return key.byteLength + contentType.length + metadata.length + (values ? sizeBytes : 0);
}

/** A value too long to come with its key. Null: it went since. */
async function readValue(
  deps: AppDependencies,
  read: ReadPartition,
  namespace: string,
  { partition, key }: Found,
): Promise<StoredValue | null> {
  const { stored } = await read(partition, (store) => store.read(partition, namespace, keyText(key)));
  return stored !== null && isLive(stored, deps.now()) ? stored : null;
}

function tell({ partition, key, sizeBytes, whole }: Found, stored: StoredValue, values: boolean): string {
  const { id, contentType, expiresMs, metadata, value } = stored;
  const text = values ? textOf(value) : null;
  const fields = JSON.stringify({
    key: keyText(key),
    revision: formatRevision(partition, id),
    ...(expiresMs !== undefined && { expires_at: tellMoment(expiresMs) }),
    content_type: contentType,
    size: values && !whole ? value.byteLength : sizeBytes,
    ...(values && (text === null ? { value: base64Of(value), encoding: "base64" } : { value: text, encoding: "text" })),
  });
  // As it came: read and written again, its numbers might be others.
  return metadata === undefined ? fields : `${fields.slice(0, -1)},"metadata":${metadata}}`;
}
