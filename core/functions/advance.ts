/**
 * Typed wrapper of the store's function advance. See advance.lua.
 */
import type { PartitionKeys } from "../keys.ts";
import type { Call } from "../redis/link.ts";
import { formatWatermark, parseWatermark, type Watermark } from "./apply.ts";
import type { Library } from "./library.ts";

/** Commands that an operator has given up: those after `from`, up to and including `to`. */
export interface AcceptedLoss {
  readonly from: Watermark;
  readonly to: Watermark;
  readonly count: number;
}

export function advanceCall(library: Library, keys: PartitionKeys, expected: Watermark, next: Watermark): Call {
  const records = [formatWatermark(expected), formatWatermark(next)];
  return { name: "FCALL", args: [library.call("advance"), 2, keys.watermark, keys.losses, ...records, keys.applied] };
}

/** @returns false when the store stood elsewhere: nothing was changed */
export function parseAdvanced(reply: unknown): boolean {
  return String((reply as unknown[])[0]) === "OK";
}

/** @param reply entries of the losses stream, newest first */
export function parseLosses(reply: unknown): AcceptedLoss[] {
  return (reply as [Buffer, Buffer[]][]).map(([, fields]) => {
    const [, from, , to, , count] = fields.map(String);
    return { from: parseWatermark(from ?? ""), to: parseWatermark(to ?? ""), count: Number(count) };
  });
}
