/**
 * Counts answers by route and status. Routes and statuses are few, so the number of counters is bounded.
 */
export class HttpCounts {
  readonly #counts = new Map<string, Map<number, number>>();

  count(route: string, status: number): void {
    let byStatus = this.#counts.get(route);
    if (byStatus === undefined) {
      byStatus = new Map();
      this.#counts.set(route, byStatus);
    }
    byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
  }

  *[Symbol.iterator](): Iterator<{ route: string; status: number; count: number }> {
    for (const [route, byStatus] of this.#counts) {
      for (const [status, count] of byStatus) yield { route, status, count };
    }
  }
}
