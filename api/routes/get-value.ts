/**
 * `GET` and `HEAD /v1/kv/{namespace}/{key}`: the value with its content type.
 *
 * With Millrace-Min-Revision the answer is at least as new as that revision: value and watermark are read in one call,
 * and only that call is trusted. Without it, too, the answer is never older than what this process has served or heard
 * of: where the store went back, the read waits a little for it to be healed, and is refused else. With
 * `?consistency=replica` any replica in sync answers, and only the minimum revision, where one is given, is kept.
 */
import { compareIds, type EntryId, formatRevision, idTimeMs } from "../../core/entry-id.ts";
import { MIN_REVISION_WAIT_MS, RECOVERY_WAIT_MS } from "../../core/limits.ts";
import { partitionOf } from "../../core/partition.ts";
import { pause } from "../../core/pause.ts";
import type { Reading } from "../../core/store.ts";
import { isLive } from "../../core/stored-value.ts";
import type { AppDependencies } from "../dependencies.ts";
import { ProblemError, type ProblemSlug } from "../errors.ts";
import type { Handler, Incoming } from "../exchange.ts";
import { tellMoment } from "../expiry.ts";
import { parseKeyPath } from "../key-path.ts";
import { isNotModified, parseMinRevision } from "../precondition.ts";
import { parsePreference } from "../preference.ts";
import { onlyParameters } from "../target.ts";

/** A store that went back is behind what the feed has heard until it is healed: no reason to ask it without a pause. */
const REREAD_PAUSE_MS = 25;

export function getValue(deps: AppDependencies): Handler {
  return async (incoming) => {
    const { namespace, key, query } = parseKeyPath(incoming.target);
    onlyParameters(query, ["consistency"]);
    const consistency = query?.get("consistency") ?? null;
    if (consistency !== null && consistency !== "replica") {
      throw new ProblemError("invalid-parameter", "consistency is replica, or left out.");
    }
    const partition = partitionOf(namespace, key, deps.partitions);
    const least = parseMinRevision(incoming.header("millrace-min-revision"), partition, deps.partitions);
    const store = consistency === null ? deps.store : deps.replicas;
    const read = () => store.read(partition, namespace, key);
    const reading =
      least === null ? await read() : await readAtLeast(deps, incoming, read, partition, notReached(least));
    const { stored } =
      consistency !== null || deps.floors.admit(partition, reading.watermark)
        ? reading
        : await readAtLeast(deps, incoming, read, partition, wentBack(deps.floors.floor(partition).id));
    if (stored === null || !isLive(stored, deps.now())) throw new ProblemError("key-not-found");
    const revision = formatRevision(partition, stored.id);
    const etag = `"${revision}"`;
    const headers: Record<string, string> = {
      ETag: etag,
      "Millrace-Revision": revision,
      "Last-Modified": new Date(idTimeMs(stored.id)).toUTCString(),
      // Without a word on it, a cache may keep a value for a tenth of its age (RFC 9111, 4.2.2).
      "Cache-Control": "no-cache",
      "X-Content-Type-Options": "nosniff",
      // A value is somebody's bytes under somebody's content type: a browser must not run it as a page of ours.
      "Content-Security-Policy": "sandbox",
    };
    if (stored.expiresMs !== undefined) headers["Millrace-Expires-At"] = String(tellMoment(stored.expiresMs));
    if (stored.metadata !== undefined) headers["Millrace-Metadata"] = stored.metadata;
    if (isNotModified(incoming.header("if-none-match"), etag)) return { status: 304, headers, body: null };
    headers["Content-Type"] = stored.contentType;
    if (incoming.method !== "HEAD") return { status: 200, headers, body: stored.value };
    headers["Content-Length"] = String(stored.value.byteLength);
    return { status: 200, headers, body: null };
  };
}

/** What a read must reach, and what it means when it does not. */
interface Least {
  readonly id: EntryId;
  readonly waitMs: number;
  readonly problem: ProblemSlug;
}

const notReached = (id: EntryId): Least => ({ id, waitMs: MIN_REVISION_WAIT_MS, problem: "revision-not-reached" });
const wentBack = (id: EntryId): Least => ({ id, waitMs: RECOVERY_WAIT_MS, problem: "partition-recovering" });

async function readAtLeast(
  deps: AppDependencies,
  incoming: Incoming,
  read: () => Promise<Reading>,
  partition: number,
  least: Least,
): Promise<Reading> {
  const { waitS, applied } = parsePreference(incoming.header("prefer"));
  const deadlineMs = deps.now() + (applied.startsWith("wait") ? waitS * 1000 : least.waitMs);
  for (let reads = 0; ; reads++) {
    if (reads > 1) await pause(REREAD_PAUSE_MS);
    const reading = await read();
    if (compareIds(reading.watermark.id, least.id) >= 0) return reading;
    const leftMs = deadlineMs - deps.now();
    const passed = leftMs > 0 && (await deps.feed.wait(partition, least.id, leftMs, incoming.gone)).passed;
    if (!passed) {
      const at = formatRevision(partition, reading.watermark.id);
      throw new ProblemError(least.problem, `The store is at ${at}.`);
    }
  }
}
