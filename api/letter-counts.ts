/** How many dead letters the partitions have: one with too many takes no more writes. */
import type { LetterCount } from "../core/dead-letter.ts";
import { LETTERS_MAX, LETTERS_MAX_BYTES } from "../core/limits.ts";
import type { Store } from "../core/store.ts";
import { PolledCounts, type PolledCountsOptions } from "./polled-counts.ts";

export class LetterCounts extends PolledCounts<LetterCount> {
  constructor(
    store: Pick<Store, "letterCounts">,
    usable: () => boolean,
    onChange: PolledCountsOptions<LetterCount>["onChange"],
  ) {
    super({ ask: () => store.letterCounts(), isFull, usable, onChange });
  }
}

function isFull({ letters, bytes }: LetterCount): boolean {
  return letters >= LETTERS_MAX || bytes >= LETTERS_MAX_BYTES;
}
