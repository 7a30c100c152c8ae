/**
 * The consumer group of a partition follows the watermark: the watermark is the truth.
 */
import type { EntryId } from "./entry-id.ts";
import type { Watermark } from "./functions/apply.ts";
import { APPLY_GROUP } from "./keys.ts";
import type { Link } from "./redis/link.ts";

export interface IdRange {
  readonly first: EntryId;
  readonly last: EntryId;
}

const PENDING_PAGE = 1000;

/**
 * Puts the group where the watermark is: what is behind it is acked, whoever it was delivered to, and delivery goes on
 * right after it. Creates the group where it is missing, and drops the names of those who worked the partition before,
 * with what they still had pending: it is delivered again.
 * @param log the partition's stream
 * @param consumer who goes on from here
 * @returns the first and the last of what was acked; null where that is nothing
 */
export async function alignGroup(
  link: Pick<Link, "call">,
  log: string,
  watermark: Watermark,
  consumer: string,
): Promise<IdRange | null> {
  try {
    await link.call({ name: "XGROUP", args: ["CREATE", log, APPLY_GROUP, watermark.id, "MKSTREAM"] });
  } catch (error) {
    if (!(error instanceof Error && error.message.startsWith("BUSYGROUP"))) throw error;
  }
  const acked = await ackBehind(link, log, watermark.id);
  const known = (await link.call({ name: "XINFO", args: ["CONSUMERS", log, APPLY_GROUP] })) as Buffer[][];
  for (const name of known.map((fields) => String(fields[1]))) {
    if (name !== consumer) await link.call({ name: "XGROUP", args: ["DELCONSUMER", log, APPLY_GROUP, name] });
  }
  const position = [watermark.id, "ENTRIESREAD", watermark.ordinal] as const;
  await link.call({ name: "XGROUP", args: ["SETID", log, APPLY_GROUP, ...position] });
  return acked;
}

async function ackBehind(link: Pick<Link, "call">, log: string, watermark: EntryId): Promise<IdRange | null> {
  let first: EntryId | undefined;
  let last: EntryId | undefined;
  for (;;) {
    const args = [log, APPLY_GROUP, "-", watermark, PENDING_PAGE];
    const page = (await link.call({ name: "XPENDING", args })) as [Buffer, ...unknown[]][];
    const ids = page.map(([id]) => String(id));
    if (ids.length === 0) return first === undefined || last === undefined ? null : { first, last };
    await link.call({ name: "XACK", args: [log, APPLY_GROUP, ...ids] });
    first ??= ids[0];
    last = ids.at(-1);
  }
}
