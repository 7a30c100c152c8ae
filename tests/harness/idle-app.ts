/** What an app needs where nothing of log and store is asked: everything of them is away. */
import { trace } from "@opentelemetry/api";
import type { AppDependencies } from "../../api/dependencies.ts";
import { DocsFiles } from "../../api/docs-files.ts";
import { Repeats } from "../../api/idempotency.ts";
import { RequestIds } from "../../api/problem.ts";
import { OperatingError } from "../../core/errors.ts";
import { WATERMARK_ZERO } from "../../core/functions/apply.ts";
import { readPackageFile } from "../../core/package-file.ts";

const away = () => Promise.reject(new OperatingError("store-unavailable", "away"));

export const IDLE: AppDependencies = {
  partitions: 16,
  access: { gateOf: () => null },
  cors: null,
  submit: away,
  admission: { admit: () => undefined },
  log: { find: away, position: away, confirmedPosition: away, gives: () => "yes", defaultGrade: "memory" },
  store: {
    read: away,
    outcome: away,
    first: away,
    watermark: away,
    letters: away,
    letter: away,
    letterCounts: away,
    foresee: away,
    list: away,
    usage: away,
  },
  replicas: { read: away, list: away },
  feed: { wait: away },
  floors: { admit: () => true, floor: () => WATERMARK_ZERO },
  watches: { open: away },
  losses: { find: away, accept: away, list: away },
  monitor: { report: away, lastState: () => null },
  settingsOf: () => ({ parking: "skip" }),
  quotas: { admit: () => undefined },
  namespaces: { known: new Map(), untilKnown: () => null },
  jobStreams: { open: () => new ReadableStream() },
  system: { partition: 0, read: away, page: away },
  repeats: new Repeats({ first: away }, () => false),
  lettersFull: () => false,
  requestIds: new RequestIds("idle"),
  tracer: trace.getTracer("test"),
  now: () => 1,
  report: () => undefined,
  countProblem: () => undefined,
  counterOf: () => () => undefined,
  docsFiles: new DocsFiles(readPackageFile),
};
