/**
 * Counts answers by route and status. Routes and statuses are few, so the number of counters is bounded.
 */
export class HttpCounts {
  readonly #routes: { readonly route: string; readonly byStatus: number[] }[] = [];

  /** @returns what counts the answers of one route */
  of(route: string): (status: number) => void {
    const byStatus: number[] = [];
    this.#routes.push({ route, byStatus });
    return (status) => {
      byStatus[status] = (byStatus[status] ?? 0) + 1;
    };
  }

  *[Symbol.iterator](): Iterator<{ route: string; status: number; count: number }> {
    for (const { route, byStatus } of this.#routes) {
      for (const [status, count] of Object.entries(byStatus)) yield { route, status: Number(status), count };
    }
  }
}
