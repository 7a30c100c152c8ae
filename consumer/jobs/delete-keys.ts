/**
 * Deletes the keys of a namespace that begin with a prefix.
 *
 * Promised: every key whose last write was accepted before the job, and that nobody writes while it runs, is deleted; no
 * write that was accepted after the job is undone, whenever its key is come to. For it a key goes only if its revision is
 * not behind the end of its partition's log when the job was accepted, and each delete is conditional on the revision
 * that was seen. A partition is come to only when all that was in its log by then is applied.
 *
 * A page that was deleted and not recorded is read again: what is gone is not found any more. The counts then miss it.
 */

import type { Result } from "../../core/command.ts";
import {
  DELETE_JOB,
  type DeleteProgress,
  deleteBasisSchema,
  deleteParametersSchema,
  deleteProgressSchema,
  NOTHING_DELETED,
  type PartitionProgress,
} from "../../core/delete-job.ts";
import { compareIds, type EntryId, ID_ZERO } from "../../core/entry-id.ts";
import { JOB_PARTITIONS_MAX, JOB_STEP_MAX_COMMANDS } from "../../core/limits.ts";
import { partitionsOf, SYSTEM_NAMESPACE } from "../../core/partition.ts";
import { settingsKey, systemPartition } from "../../core/system-keys.ts";
import type { JobTools, JobType, Step } from "./job-type.ts";

/** What one step goes over in a partition. */
interface Page {
  readonly partition: number;
  readonly namespace: string;
  readonly prefix: string;
  readonly upTo: EntryId;
  readonly from: PartitionProgress;
}

const NOT_BEGUN: PartitionProgress = { after: null, done: false, deleted: 0, kept: 0, failed: 0 };
/** Of keys and attribute lines in one look. */
const PAGE_MAX_BYTES = 256 * 1024;

export const deleteKeys: JobType = {
  type: DELETE_JOB,
  step: async (job, tools): Promise<Step> => {
    const { namespace, prefix, settings } = deleteParametersSchema.parse(job.parameters);
    const { upTo } = deleteBasisSchema.parse(job.basis);
    const before = deleteProgressSchema.safeParse(job.progress).data ?? NOTHING_DELETED;
    const open = partitionsOf(namespace, tools.partitions).flatMap((partition): Page[] => {
      const from = before.partitions[partition] ?? NOT_BEGUN;
      return from.done ? [] : [{ partition, namespace, prefix, upTo: upTo[partition] ?? ID_ZERO, from }];
    });
    if (open.length === 0) {
      if (settings) await deleteSettings(namespace, upTo[systemPartition(tools.partitions)] ?? ID_ZERO, tools);
      return { kind: "done", progress: before };
    }
    const pages = open.slice(0, JOB_PARTITIONS_MAX);
    const count = Math.floor(JOB_STEP_MAX_COMMANDS / pages.length);
    const steps = await Promise.all(pages.map((page) => deletePage(page, count, tools)));
    const moved = steps.filter((step) => step !== null);
    return moved.length === 0 ? { kind: "waiting" } : { kind: "going", progress: add(before, moved) };
  },
};

type Moved = readonly [partition: number, progress: PartitionProgress];

/** @returns null while what was accepted before the job is not applied there */
async function deletePage(page: Page, keyCount: number, { store, commands, check }: JobTools): Promise<Moved | null> {
  const { partition, namespace, prefix, upTo, from } = page;
  const { watermark, keys, reached } = await store.list(partition, namespace, {
    prefix: Buffer.from(prefix),
    after: from.after === null ? null : Buffer.from(from.after),
    // What has expired is deleted, too: whoever counts on that need not wait for the expirer.
    nowMs: 0,
    keys: keyCount,
    members: keyCount,
    bytes: PAGE_MAX_BYTES,
    wholeMaxBytes: 0,
  });
  if (compareIds(watermark.id, upTo) < 0) return null;
  const old = keys.filter(({ stored }) => compareIds(stored.id, upTo) <= 0);
  const done = await commands.run(
    partition,
    namespace,
    old.map(({ key, stored }) => ({
      key: String(Buffer.from(key)),
      operation: { op: "delete" },
      condition: { kind: "match", id: stored.id },
    })),
    check,
  );
  const count = (outcome: Result["outcome"]) => done.filter(({ result }) => result.outcome === outcome).length;
  const progress = {
    after: reached === null ? from.after : String(Buffer.from(reached)),
    done: reached === null,
    deleted: from.deleted + count("applied"),
    kept: from.kept + (keys.length - old.length) + count("rejected"),
    failed: from.failed + count("dead"),
  };
  return [partition, progress];
}

function add(before: DeleteProgress, moved: readonly Moved[]): DeleteProgress {
  const partitions = { ...before.partitions };
  for (const [partition, progress] of moved) partitions[partition] = progress;
  const sum = (of: (progress: PartitionProgress) => number) =>
    Object.values(partitions).reduce((total, progress) => total + of(progress), 0);
  return {
    deleted: sum(({ deleted }) => deleted),
    kept: sum(({ kept }) => kept),
    failed: sum(({ failed }) => failed),
    partitions,
  };
}

/** Under the same rule as keys: settings that were made after the job was accepted stay. */
async function deleteSettings(
  namespace: string,
  upTo: EntryId,
  { partitions, store, commands, check }: JobTools,
): Promise<void> {
  const partition = systemPartition(partitions);
  const key = settingsKey(namespace);
  const { stored } = await store.read(partition, SYSTEM_NAMESPACE, key);
  if (stored === null || compareIds(stored.id, upTo) > 0) return;
  const condition = { kind: "match", id: stored.id } as const;
  await commands.run(partition, SYSTEM_NAMESPACE, [{ key, operation: { op: "delete" }, condition }], check);
}
