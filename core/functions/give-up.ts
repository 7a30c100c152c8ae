/**
 * Typed wrapper of the log's function give_up. See give-up.lua for what it guarantees.
 */
import type { EntryId } from "../entry-id.ts";
import type { PartitionKeys } from "../keys.ts";
import { GIVE_UP_PAGE_MAX_COMMANDS } from "../limits.ts";
import type { Call } from "../redis/link.ts";
import type { Library } from "./library.ts";

export function giveUpCall(library: Library, keys: PartitionKeys, after: EntryId, last: EntryId): Call {
  const args = [library.call("give_up"), 2, keys.log, keys.appends, after, last, GIVE_UP_PAGE_MAX_COMMANDS];
  return { name: "FCALL", args };
}

/** @returns how many were removed, or null when the log has gone on since */
export function parseGivenUp(reply: unknown): number | null {
  const removed = Number(reply);
  return removed < 0 ? null : removed;
}
