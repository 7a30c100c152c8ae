/**
 * Counts answers by route and status, and those of failure by their problem. Routes, statuses and problems are few, so the
 * number of counters is bounded.
 */
import type { ProblemSlug } from "./errors.ts";

export class HttpCounts {
  /** Answers of failure, by the problem's type. */
  readonly problems = new Map<ProblemSlug, number>();
  readonly #routes: { readonly route: string; readonly byStatus: number[] }[] = [];

  /** @returns what counts the answers of one route */
  of(route: string): (status: number) => void {
    const byStatus: number[] = [];
    this.#routes.push({ route, byStatus });
    return (status) => {
      byStatus[status] = (byStatus[status] ?? 0) + 1;
    };
  }

  problem(slug: ProblemSlug): void {
    this.problems.set(slug, (this.problems.get(slug) ?? 0) + 1);
  }

  *[Symbol.iterator](): Iterator<{ route: string; status: number; count: number }> {
    for (const { route, byStatus } of this.#routes) {
      for (const [status, count] of Object.entries(byStatus)) yield { route, status: Number(status), count };
    }
  }
}
