/**
 * `GET` and `HEAD /v1/kv/{namespace}/{key}`: the value with its content type.
 *
 * With Millrace-Min-Revision the answer is at least as new as that revision: value and watermark are read in one call,
 * and only that call is trusted.
 */
import { compareIds, type EntryId, formatRevision, idTimeMs } from "../../core/entry-id.ts";
import { MIN_REVISION_WAIT_MS } from "../../core/limits.ts";
import { partitionOf } from "../../core/partition.ts";
import type { Reading } from "../../core/store.ts";
import type { AppDependencies, Handler } from "../dependencies.ts";
import { ProblemError } from "../errors.ts";
import { onlyParameters, parseKeyPath } from "../key-path.ts";
import { isNotModified, parseMinRevision } from "../precondition.ts";
import { parsePreference } from "../preference.ts";

export function getValue(deps: AppDependencies): Handler {
  return async (request) => {
    const { headers } = request;
    const { namespace, key, query } = parseKeyPath(request.url);
    onlyParameters(query, []);
    const partition = partitionOf(namespace, key, deps.partitions);
    const least = parseMinRevision(headers.get("millrace-min-revision"), partition, deps.partitions);
    const reading =
      least === null
        ? await deps.store.read(partition, namespace, key)
        : await readAtLeast(deps, partition, namespace, key, least, waitMs(headers));
    const { stored } = reading;
    if (stored === null) throw new ProblemError("key-not-found");
    const revision = formatRevision(partition, stored.id);
    const etag = `"${revision}"`;
    const answer: Record<string, string> = {
      ETag: etag,
      "Millrace-Revision": revision,
      "Last-Modified": new Date(idTimeMs(stored.id)).toUTCString(),
      "X-Content-Type-Options": "nosniff",
    };
    if (isNotModified(headers.get("if-none-match"), etag)) return new Response(null, { status: 304, headers: answer });
    answer["Content-Type"] = stored.contentType;
    answer["Content-Length"] = String(stored.value.byteLength);
    return new Response(request.method === "HEAD" ? null : (stored.value as Uint8Array<ArrayBuffer>), {
      headers: answer,
    });
  };
}

function waitMs(headers: Headers): number {
  const { waitS, applied } = parsePreference(headers.get("prefer"));
  return applied.startsWith("wait") ? waitS * 1000 : MIN_REVISION_WAIT_MS;
}

async function readAtLeast(
  deps: AppDependencies,
  partition: number,
  namespace: string,
  key: string,
  least: EntryId,
  timeoutMs: number,
): Promise<Reading> {
  const deadlineMs = deps.now() + timeoutMs;
  for (;;) {
    const reading = await deps.store.read(partition, namespace, key);
    if (compareIds(reading.watermark.id, least) >= 0) return reading;
    const leftMs = deadlineMs - deps.now();
    const passed = leftMs > 0 && (await deps.feed.wait(partition, least, leftMs)).passed;
    if (!passed) {
      const at = formatRevision(partition, reading.watermark.id);
      throw new ProblemError("revision-not-reached", `The store is at ${at}.`);
    }
  }
}
