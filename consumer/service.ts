/**
 * The consumer, put together from its configuration.
 */
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import type { Logger } from "pino";
import { AppendMeter } from "../core/append-meter.ts";
import { Appender } from "../core/appender.ts";
import { COORDINATION, partitionKeys } from "../core/keys.ts";
import { Log } from "../core/log.ts";
import { LogMemoryWatch } from "../core/log-memory.ts";
import { OpsServer } from "../core/ops-server.ts";
import { countStates } from "../core/partition-state.ts";
import { Preparation } from "../core/preparation.ts";
import { openGroup, tellChanges } from "../core/redis/group.ts";
import { Link } from "../core/redis/link.ts";
import { SubscriberLink } from "../core/redis/subscriber-link.ts";
import type { Service } from "../core/service.ts";
import { Store } from "../core/store.ts";
import { ApplyMeter } from "./apply-meter.ts";
import type { ConsumerConfig } from "./config.ts";
import { Coordinator } from "./coordinator.ts";
import { Counters } from "./counters.ts";
import { Expirer } from "./expirer.ts";
import { buildJobs } from "./jobs/service.ts";
import { consumerMetrics } from "./metrics.ts";
import { Trimmer } from "./trimmer.ts";

/** What a consumer appends can wait. */
const APPEND_TIMEOUT_MS = 5_000;

export function buildConsumer(config: ConsumerConfig, logger: Logger, fail: () => void): Service {
  const partitions = config.MILLRACE_PARTITIONS;
  const consumer = config.MILLRACE_CONSUMER ?? `${hostname()}-${randomBytes(4).toString("hex")}`;
  const logGroup = openGroup(config.LOG_URL, `consumer-log-${consumer}`, config.MILLRACE_REDIS_CA_FILE);
  const storeGroup = openGroup(config.STORE_URL, `consumer-store-${consumer}`, config.MILLRACE_REDIS_CA_FILE);
  tellChanges(logGroup, "log", logger);
  tellChanges(storeGroup, "store", logger);
  const logLink = new Link(logGroup, "writer", `consumer-log-${consumer}`);
  const storeLink = new Link(storeGroup, "writer", `consumer-store-${consumer}`);
  const partitionOfChannel = new Map(partitionKeys(partitions).map((keys) => [keys.appended, keys.partition]));
  const channels = [COORDINATION.changed, ...partitionOfChannel.keys()];
  const subscriber = new SubscriberLink(logGroup, `consumer-events-${consumer}`, channels);
  const log = new Log(logLink, partitions);
  const store = new Store(storeLink, partitions);
  const preparation = new Preparation({ logLink, storeLink, log, store, partitions, logger, fail });
  const counters = new Counters();
  const applies = new ApplyMeter();
  const applyUntilMs = config.MILLRACE_APPLY_UNTIL ?? Number.POSITIVE_INFINITY;
  const coordinator = new Coordinator(
    { log, store, logger, counters, applies, consumer, applyUntilMs },
    {
      partitions,
      leaseMs: config.MILLRACE_LEASE_MS,
      usable: () => preparation.logUsable && preparation.storeUsable,
    },
  );
  const trimmer = new Trimmer(
    { log, store, logger, counters, owned: () => coordinator.steady() },
    {
      retentionMs: config.MILLRACE_LOG_RETENTION_S * 1000,
      maxEntries: config.MILLRACE_LOG_MAX_ENTRIES,
      everyMs: config.MILLRACE_TRIM_EVERY_MS,
    },
  );
  const producer = `c${randomBytes(8).toString("hex")}`;
  const appends = new AppendMeter();
  const appender = new Appender(appends.measure(log), {
    partitions,
    producer,
    timeoutMs: APPEND_TIMEOUT_MS,
    usable: (grade) => preparation.logUsable && log.gives(grade) === "yes",
  });
  const expirer = new Expirer({
    store,
    appender,
    logger,
    owned: () => coordinator.steady(),
    grade: () => log.defaultGrade,
    now: Date.now,
  });
  const logMemory = new LogMemoryWatch(
    logLink,
    () => preparation.logUsable && preparation.storeUsable,
    (memory) => trimmer.looked(memory),
  );
  const jobs = buildJobs({ partitions, consumer, producer, log, store, appender, coordinator, logMemory, logger });
  const page = consumerMetrics({
    redis: { log: { group: logGroup, link: logLink }, store: { group: storeGroup, link: storeLink } },
    ...{ appends, applies, counters, workers: coordinator.workers, jobs, partitions },
  });
  const ops = new OpsServer(config.MILLRACE_OPS_HOST, config.OPS_PORT, {
    live: () => true,
    ready: () => ({
      ok: coordinator.inTouch,
      detail: {
        log: preparation.logUsable,
        store: preparation.storeUsable,
        partitions: coordinator.workers.size,
        states: countStates([...coordinator.workers.values()].map(({ word }) => word)),
      },
    }),
    metrics: () => page.render(),
  });

  return {
    async start() {
      await ops.start();
      logger.info({ consumer, partitions }, "consumer starts");
      preparation.onUsable(() => coordinator.wake());
      await Promise.all([logGroup.start(), storeGroup.start()]);
      await preparation.start();
      subscriber.open(
        (channel) => {
          const partition = partitionOfChannel.get(channel);
          if (partition === undefined) coordinator.wake();
          else coordinator.workers.get(partition)?.wake();
        },
        () => coordinator.wake(),
      );
      await coordinator.start();
      await trimmer.start();
      await expirer.start();
      await logMemory.start();
      await jobs.start();
    },
    async stop() {
      await jobs.stop();
      await logMemory.stop();
      await expirer.stop();
      await appender.stop();
      await trimmer.stop();
      await coordinator.stop();
      subscriber.close();
      await preparation.stop();
      logLink.close();
      storeLink.close();
      await Promise.all([logGroup.stop(), storeGroup.stop()]);
      await ops.stop();
    },
  };
}
