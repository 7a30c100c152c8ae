/**
 * Counts figures by size, in plain arrays: an observation costs some nanoseconds, where prom-client's costs a microsecond
 * (it looks its labels up). What there are many of at once, such as the commands of a batch, is counted in one call.
 */

export class Histogram {
  /** Upper bounds, ascending. */
  readonly bounds: readonly number[];
  /** By bucket, the last one beyond all bounds. */
  readonly #counts: number[];
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.#counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  /** @param times how many figures of that size there were */
  observe(figure: number, times = 1): void {
    const { bounds } = this;
    let bucket = 0;
    while (bucket < bounds.length && figure > (bounds[bucket] as number)) bucket += 1;
    this.#counts[bucket] = (this.#counts[bucket] as number) + times;
    this.#sum += figure * times;
  }

  get sum(): number {
    return this.#sum;
  }

  get count(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  /** For each bound, how many figures were at most so large. */
  cumulative(): number[] {
    let sum = 0;
    return this.bounds.map((_, bucket) => {
      sum += this.#counts[bucket] as number;
      return sum;
    });
  }
}
