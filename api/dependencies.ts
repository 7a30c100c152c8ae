/**
 * What the app needs of the world: nothing of it names a runtime, so that the same app runs wherever these can be had.
 */

import type { Tracer } from "@opentelemetry/api";
import type { Accepted } from "../core/appender.ts";
import type { Command } from "../core/command.ts";
import type { Grade } from "../core/grade.ts";
import type { Log } from "../core/log.ts";
import type { PartitionState } from "../core/partition-state.ts";
import type { Store } from "../core/store.ts";
import type { Access } from "./access.ts";
import type { Admission } from "./admission.ts";
import type { AppliedFeed } from "./applied-feed.ts";
import type { Cors } from "./cors.ts";
import type { DocsFiles } from "./docs-files.ts";
import type { ProblemSlug } from "./errors.ts";
import type { Repeats } from "./idempotency.ts";
import type { JobStreams } from "./job-streams.ts";
import type { NamespaceRegistry } from "./namespace-registry.ts";
import type { SettingsOf } from "./namespaces.ts";
import type { PartitionLosses } from "./partition-losses.ts";
import type { PartitionReport } from "./partition-monitor.ts";
import type { RequestIds } from "./problem.ts";
import type { Quotas } from "./quotas.ts";
import type { SystemValues } from "./system-values.ts";
import type { Watches } from "./watch/watches.ts";

/** What the app reads of the store. */
export type ReadableStore = Pick<
  Store,
  "read" | "list" | "outcome" | "first" | "watermark" | "letters" | "letter" | "letterCounts" | "foresee" | "usage"
>;

export interface AppDependencies {
  readonly partitions: number;
  /** Asked before a handler is called. */
  readonly access: Pick<Access, "gateOf">;
  /** Null: no page of another origin may ask. */
  readonly cors: Cors | null;
  readonly submit: (partition: number, command: Command, grade: Grade) => Promise<Accepted>;
  /** Asked before a command is submitted. */
  readonly admission: Pick<Admission, "admit">;
  readonly log: Pick<Log, "find" | "position" | "confirmedPosition" | "gives" | "defaultGrade">;
  readonly store: ReadableStore;
  /** The store as a replica of it in sync tells; the store itself where there is none. */
  readonly replicas: Pick<Store, "read" | "list">;
  readonly feed: Pick<AppliedFeed, "wait">;
  /** What was served or heard of: no read answers with less. */
  readonly floors: Pick<AppliedFeed, "admit" | "floor">;
  readonly watches: Pick<Watches, "open">;
  readonly losses: Pick<PartitionLosses, "find" | "accept" | "list">;
  readonly monitor: {
    /** How every partition stands now. */
    report(): Promise<readonly PartitionReport[]>;
    /** What was last seen of one; null when nothing was. */
    lastState(partition: number): PartitionState | null;
  };
  /** What the writes of a namespace are given; its parking policy is stamped on each. */
  readonly settingsOf: SettingsOf;
  readonly quotas: Pick<Quotas, "admit">;
  readonly namespaces: Pick<NamespaceRegistry, "known" | "untilKnown">;
  readonly jobStreams: Pick<JobStreams, "open">;
  readonly system: Pick<SystemValues, "partition" | "read" | "page">;
  /** Has a partition so many dead letters that it takes no more writes? */
  readonly lettersFull: (partition: number) => boolean;
  /** What is known of idempotency keys. */
  readonly repeats: Pick<Repeats, "demandRoom" | "find" | "onTheWay" | "depart">;
  readonly requestIds: RequestIds;
  readonly tracer: Tracer;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Told of what only we should know: an unexpected error, with the request's id and its trace. */
  readonly report: (error: unknown, requestId: string, traceparent?: string) => void;
  /** What counts the answers of a route, and how long they took. */
  readonly counterOf: (route: string) => (status: number, begunMs: number) => void;
  /** Counts an answer of failure. */
  readonly countProblem: (slug: ProblemSlug) => void;
  /** What the pages for people load. */
  readonly docsFiles: Pick<DocsFiles, "pathOf" | "find">;
}

export interface CommandTarget {
  readonly namespace: string;
  readonly key: string;
  readonly partition: number;
  readonly path: string;
}
