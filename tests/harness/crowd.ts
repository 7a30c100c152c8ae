/** Several clients at once. */

/** Does `work` for every item, `width` at a time, and returns the results in the items' order. */
export async function eachOf<Item, Result>(
  items: readonly Item[],
  width: number,
  work: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < items.length) {
      const index = next;
      next += 1;
      results[index] = await work(items[index] as Item, index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, one));
  return results;
}

export interface Load {
  /** How often `work` has been done so far. */
  readonly count: number;
  /** Begins nothing new, and resolves when what was begun is done. Fails when any of it has failed. */
  stop(): Promise<void>;
}

/** Does `work` over and over, `width` at a time, until stopped or until it fails. */
export function keepDoing(width: number, work: (index: number) => Promise<void>): Load {
  let stopping = false;
  let begun = 0;
  let count = 0;
  const one = async (): Promise<void> => {
    while (!stopping) {
      begun += 1;
      await work(begun - 1);
      count += 1;
    }
  };
  const all = Promise.all(Array.from({ length: width }, one)).finally(() => {
    stopping = true;
  });
  all.catch(() => undefined);
  return {
    get count() {
      return count;
    },
    stop: async () => {
      stopping = true;
      await all;
    },
  };
}

/**
 * Changes made beside a load that goes through numbered items: step k begins when the load comes to item `k * every`
 * (k from 1), and the load goes no further than to item `(k + 1) * every` before it is done. So the two really overlap,
 * however fast either is. Await the returned function first of all in the work on each item.
 */
export function alongside(every: number, steps: readonly (() => Promise<void>)[]): (index: number) => Promise<void> {
  const done: Promise<void>[] = [Promise.resolve()];
  return async (index) => {
    const stage = Math.floor(index / every);
    const step = steps[stage - 1];
    if (index % every === 0 && step) {
      const running = Promise.resolve(done[stage - 1]).then(step);
      running.catch(() => undefined);
      done[stage] = running;
    }
    await done[Math.min(stage - 1, steps.length)];
  };
}
