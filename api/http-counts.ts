/**
 * Counts answers by route and status, and those of failure by their problem; and how long each took. Routes, statuses and
 * problems are few, so the number of counters is bounded.
 */
import { Histogram } from "../core/histogram.ts";
import { METRICS } from "../core/telemetry.ts";
import type { ProblemSlug } from "./errors.ts";

interface Route {
  readonly route: string;
  readonly byStatus: number[];
  readonly seconds: Histogram;
}

export class HttpCounts {
  /** Answers of failure, by the problem's type. */
  readonly problems = new Map<ProblemSlug, number>();
  readonly #routes: Route[] = [];

  /** @returns what counts the answers of one route; `begunMs`: `performance.now()` when its request came */
  of(route: string): (status: number, begunMs: number) => void {
    const byStatus: number[] = [];
    const seconds = new Histogram(METRICS.httpDuration.buckets);
    this.#routes.push({ route, byStatus, seconds });
    return (status, begunMs) => {
      byStatus[status] = (byStatus[status] ?? 0) + 1;
      seconds.observe((performance.now() - begunMs) / 1000);
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

  /** How long answering took, of routes that were asked. */
  *durations(): Generator<{ route: string; seconds: Histogram }> {
    for (const { route, byStatus, seconds } of this.#routes) if (byStatus.length > 0) yield { route, seconds };
  }
}
