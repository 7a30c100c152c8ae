/** How many idempotency keys the partitions know: one with too many takes no new ones. */
import type { IdempotencyCount } from "../core/idempotency.ts";
import { OUTCOME_RETENTION_MS } from "../core/limits.ts";
import type { Store } from "../core/store.ts";
import { PolledCounts, type PolledCountsOptions } from "./polled-counts.ts";

export class IdempotencyCounts extends PolledCounts<IdempotencyCount> {
  /**
   * @param keysMax keys that one partition may know
   * @param now milliseconds since the epoch
   */
  constructor(
    store: Pick<Store, "idempotencyCounts">,
    keysMax: number,
    now: () => number,
    usable: () => boolean,
    onChange: PolledCountsOptions<IdempotencyCount>["onChange"],
  ) {
    super({
      ask: () => store.idempotencyCounts(),
      // Keys whose time is over go when newer ones come, more than come: those must be let in.
      isFull: ({ keys, oldestMs }) => keys >= keysMax && oldestMs > now() - OUTCOME_RETENTION_MS,
      usable,
      onChange,
    });
  }
}
