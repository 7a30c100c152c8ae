/**
 * The api, put together from its configuration.
 */
import { trace } from "@opentelemetry/api";
import type { Logger } from "pino";
import { AppendMeter } from "../core/append-meter.ts";
import { Appender } from "../core/appender.ts";
import { describeError } from "../core/errors.ts";
import { partitionKeys } from "../core/keys.ts";
import { Log } from "../core/log.ts";
import { LogMemoryWatch } from "../core/log-memory.ts";
import { OpsServer } from "../core/ops-server.ts";
import { readPackageFile } from "../core/package-file.ts";
import { countStates, type PartitionStateName } from "../core/partition-state.ts";
import { Preparation } from "../core/preparation.ts";
import { openGroup, tellChanges } from "../core/redis/group.ts";
import { Link } from "../core/redis/link.ts";
import { SubscriberLink } from "../core/redis/subscriber-link.ts";
import type { Service } from "../core/service.ts";
import { Store } from "../core/store.ts";
import { TRACER } from "../core/telemetry.ts";
import { traceFields } from "../core/trace-context.ts";
import { AcknowledgedMarks } from "./acknowledged-marks.ts";
import { Admission } from "./admission.ts";
import { createApp } from "./app.ts";
import { AppliedFeed } from "./applied-feed.ts";
import type { ApiConfig } from "./config.ts";
import { DocsFiles } from "./docs-files.ts";
import { buildEntrance } from "./entrance.ts";
import { HttpCounts } from "./http-counts.ts";
import { Repeats } from "./idempotency.ts";
import { IdempotencyCounts } from "./idempotency-counts.ts";
import { JobStreams } from "./job-streams.ts";
import { LetterCounts } from "./letter-counts.ts";
import { apiMetrics } from "./metrics.ts";
import { NamespaceRegistry } from "./namespace-registry.ts";
import { OldestUnapplied } from "./oldest-unapplied.ts";
import { PartitionLosses } from "./partition-losses.ts";
import { PartitionMonitor, type PartitionReport } from "./partition-monitor.ts";
import { RequestIds } from "./problem.ts";
import { Quotas } from "./quotas.ts";
import { readable } from "./readable-store.ts";
import { HttpServer } from "./server.ts";
import { SystemValues } from "./system-values.ts";
import { Watches } from "./watch/watches.ts";
import { watchLog } from "./watched-log.ts";

/** How long requests may go on waiting when the process stops. */
const WAITERS_PATIENCE_MS = 8_000;

/** @param instance random: it names this process as a producer, and its requests */
export function buildApi(config: ApiConfig, instance: string, logger: Logger, fail: () => void): Service {
  const partitions = config.MILLRACE_PARTITIONS;
  const logGroup = openGroup(config.LOG_URL, `api-log-${instance}`, config.MILLRACE_REDIS_CA_FILE);
  const storeGroup = openGroup(config.STORE_URL, `api-store-${instance}`, config.MILLRACE_REDIS_CA_FILE);
  tellChanges(logGroup, "log", logger);
  tellChanges(storeGroup, "store", logger);
  const logLink = new Link(logGroup, "writer", `api-log-${instance}`);
  const storeLink = new Link(storeGroup, "reader", `api-store-${instance}`);
  // Only Sentinel tells where replicas are.
  const replicaLink = storeGroup.watch && new Link(storeGroup, "replica", `api-replica-${instance}`);
  const log = new Log(logLink, partitions);
  const store = new Store(storeLink, partitions);
  const preparation = new Preparation({ logLink, storeLink, log, store, partitions, logger, fail });
  const admission = new Admission({
    partitions,
    backlogMax: config.MILLRACE_BACKLOG_MAX,
    onChange: (bound, closed, partition) => {
      const line = { bound, ...(partition !== null && { partition }) };
      if (closed) logger.warn(line, "a bound is reached: writes are refused");
      else logger.info(line, "writes are taken again");
    },
  });
  const marks = new AcknowledgedMarks(partitions, (partition, commands) =>
    logger.error({ partition, commands }, "the log went back: it no longer holds commands that it had acknowledged"),
  );
  const appends = new AppendMeter();
  const appender = new Appender(watchLog(appends.measure(log), marks, admission), {
    partitions,
    producer: instance,
    timeoutMs: config.MILLRACE_APPEND_TIMEOUT_MS,
    usable: (grade) => preparation.logUsable && log.gives(grade) === "yes",
  });
  const feed = new AppliedFeed(store, partitions);
  const partitionOfChannel = new Map(partitionKeys(partitions).map((keys) => [keys.applied, keys.partition]));
  const subscriber = new SubscriberLink(storeGroup, `api-events-${instance}`, [...partitionOfChannel.keys()]);
  const entered = new Map<PartitionStateName, number>();
  const oldest = new OldestUnapplied(log, Date.now);
  const monitor = new PartitionMonitor({
    log,
    store,
    floors: feed,
    usable: () => preparation.logUsable && preparation.storeUsable,
    settled: () => logLink.quorum().settled && storeLink.quorum().settled,
    onUnreachable: (partition, served, watermark) =>
      logger.error({ partition, served, watermark }, "commands that were served are in neither log nor store"),
    onSeen: (...seen) => void oldest.look(...seen),
    onState: (state) => entered.set(state, (entered.get(state) ?? 0) + 1),
  });
  const letterCounts = new LetterCounts(
    store,
    () => preparation.storeUsable,
    (partition, full) =>
      full
        ? logger.error({ partition }, "too many dead letters: the partition takes no writes until some are settled")
        : logger.info({ partition }, "few enough dead letters: the partition takes writes again"),
  );
  const storeUsable = () => preparation.storeUsable;
  const readableStore = readable(store, storeUsable);
  const system = new SystemValues({ store, floors: feed, usable: storeUsable, partitions });
  const quotas = new Quotas({
    store,
    partitions,
    settingsOf: (namespace) => namespaces.settingsOf(namespace),
    usable: storeUsable,
  });
  const jobStreams = new JobStreams({ system, feed, floors: feed, now: Date.now });
  const namespaces = new NamespaceRegistry({
    values: system,
    report: () => monitor.report(),
    usable: storeUsable,
    onFault: (fault) => logger.warn({ fault }, "settings of namespaces"),
  });
  const idempotencyCounts = new IdempotencyCounts(
    store,
    config.MILLRACE_IDEMPOTENCY_KEYS_MAX,
    Date.now,
    storeUsable,
    (partition, full) =>
      full
        ? logger.warn({ partition }, "too many idempotency keys: writes with new ones are refused")
        : logger.info({ partition }, "idempotency keys are taken again"),
  );
  const replicaStore = new Store(replicaLink ?? storeLink, partitions);
  const counts = new HttpCounts();
  let seen: readonly PartitionReport[] = monitor.last;
  const logMemory = new LogMemoryWatch(
    logLink,
    () => preparation.logUsable,
    (memory) => {
      admission.looked(memory);
      if (monitor.last === seen) return;
      seen = monitor.last;
      for (const { partition, accepted, ordinal } of seen) admission.reported(partition, accepted, ordinal);
    },
  );
  const report = (error: unknown, requestId?: string, traceparent?: string) =>
    logger.error({ requestId, ...traceFields(traceparent), error: describeError(error) }, "unexpected error");
  const watches = new Watches({ log, store: readableStore, partitions, usable: () => preparation.logUsable, report });
  const entrance = buildEntrance(config, logGroup, `api-limits-${instance}`, logger);
  const tracer = trace.getTracer(TRACER);
  const app = createApp({
    partitions,
    access: entrance.access,
    cors: config.MILLRACE_CORS_ORIGINS ?? null,
    submit: (partition, command, grade) => appender.submit(partition, command, grade),
    admission,
    log,
    store: readableStore,
    replicas: {
      read: (...key) => (replicaLink?.ready ? replicaStore : readableStore).read(...key),
      list: (...range) => (replicaLink?.ready ? replicaStore : readableStore).list(...range),
    },
    feed,
    floors: feed,
    watches,
    losses: new PartitionLosses(log, store),
    monitor,
    settingsOf: (namespace) => namespaces.settingsOf(namespace),
    namespaces,
    jobStreams,
    quotas,
    system,
    lettersFull: (partition) => letterCounts.full(partition),
    repeats: new Repeats(readableStore, (partition) => idempotencyCounts.full(partition)),
    requestIds: new RequestIds(instance),
    tracer,
    now: Date.now,
    report,
    counterOf: (route) => counts.of(route),
    countProblem: (slug) => counts.problem(slug),
    docsFiles: new DocsFiles(readPackageFile),
  });
  const server = new HttpServer(config.MILLRACE_HOST, config.PORT, config.MILLRACE_CONNECTIONS_MAX, app, report);
  const page = apiMetrics({
    redis: { log: { group: logGroup, link: logLink }, store: { group: storeGroup, link: storeLink } },
    letters: letterCounts,
    idempotency: idempotencyCounts,
    ...{ appends, counts, feed, watches, monitor, oldest, entered, admission, logMemory, marks, partitions },
  });
  const ops = new OpsServer(config.MILLRACE_OPS_HOST, config.OPS_PORT, {
    live: () => true,
    ready: () => ({
      ok: server.serving && (preparation.logUsable || preparation.storeUsable),
      detail: {
        log: preparation.logUsable,
        store: preparation.storeUsable,
        states: countStates(monitor.last),
      },
    }),
    metrics: () => page.render(),
  });

  return {
    async start() {
      await entrance.start();
      await ops.start();
      // How far the owners were is known before much is served.
      preparation.onUsable(() => {
        monitor.look();
        namespaces.look();
      });
      await Promise.all([logGroup.start(), storeGroup.start()]);
      await preparation.start();
      replicaLink?.open(
        () => undefined,
        () => undefined,
      );
      subscriber.open((channel, message) => {
        const partition = partitionOfChannel.get(channel);
        if (partition === undefined) return;
        const watermark = feed.hear(partition, message);
        if (watermark === null) return;
        admission.applied(partition, watermark.ordinal);
        namespaces.heard(partition);
        watches.wake(partition);
      });
      feed.start();
      await monitor.start();
      await letterCounts.start();
      await namespaces.start();
      await quotas.start();
      await idempotencyCounts.start();
      await logMemory.start();
      await server.start();
      logger.info({ port: config.PORT, host: config.MILLRACE_HOST, partitions }, "api listens");
    },
    async stop() {
      // Who waits for a result is told 202 in time, before the server closes on whoever is left.
      jobStreams.stop();
      const patience = setTimeout(() => feed.stop(), WAITERS_PATIENCE_MS);
      const closed = server.stop();
      // Streams would never end by themselves. Their clients go elsewhere now.
      watches.stop();
      await closed;
      clearTimeout(patience);
      await appender.stop();
      await monitor.stop();
      await letterCounts.stop();
      await namespaces.stop();
      await quotas.stop();
      await idempotencyCounts.stop();
      await logMemory.stop();
      feed.stop();
      await preparation.stop();
      await entrance.stop();
      subscriber.close();
      logLink.close();
      storeLink.close();
      replicaLink?.close();
      await Promise.all([logGroup.stop(), storeGroup.stop()]);
      await ops.stop();
    },
  };
}
