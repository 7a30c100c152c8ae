/**
 * The one table of metrics: names as Prometheus sees them, types, units, labels, and which process tells each.
 * docs/metrics.md is made from it (`npm run metrics`), and so are the pages on the ops ports.
 *
 * Every label has few values: partitions, states, routes as templates, statuses, problems, grades. None is ever made of
 * what a client sends.
 */

import { toldBy } from "./metric.ts";

const both = toldBy("both");
const api = toldBy("api");
const consumer = toldBy("consumer");

const CALL_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
/** A request may wait for its result. */
const REQUEST_SECONDS = [...CALL_SECONDS, 10, 30];
/** An entry's id has milliseconds; a partition that was halted has hours to make up for. */
const AGE_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800];
const BATCH_COMMANDS = [1, 2, 5, 10, 20, 50, 100, 200, 500];

export const METRICS = {
  // Redis, as api and consumers see it: `redis` is log or store.
  redisConnected: both.gauge("millrace_redis_connected", "state", "1 while the connection for commands is open.", [
    "redis",
  ]),
  redisReconnects: both.counter(
    "millrace_redis_reconnects_total",
    "connections",
    "Times the connection for commands was opened again.",
    ["redis"],
  ),
  redisSettled: both.gauge(
    "millrace_redis_settled",
    "state",
    "1 while a majority of the Sentinels agrees on the master; without Sentinel always.",
    ["redis"],
  ),
  redisFailovers: both.counter(
    "millrace_redis_failovers_total",
    "failovers",
    "Times the Sentinels agreed on another master than before.",
    ["redis"],
  ),
  redisTopologyChanges: both.counter(
    "millrace_redis_topology_changes_total",
    "changes",
    "Changes in what the Sentinels agree on: master, epoch, K, replicas in sync, or whether they agree at all.",
    ["redis"],
  ),
  redisConfirmReplicas: both.gauge(
    "millrace_redis_confirm_replicas",
    "replicas",
    "K: replicas that must hold what counts as confirmed; told with Sentinel only.",
    ["redis"],
  ),
  redisReplicasInSync: both.gauge(
    "millrace_redis_replicas_in_sync",
    "replicas",
    "Replicas that all agreeing Sentinels see in sync with the master; told with Sentinel only.",
    ["redis"],
  ),
  redisEpoch: both.gauge(
    "millrace_redis_epoch",
    "failovers",
    "The Sentinels' configuration epoch, which grows with each failover; told with Sentinel only.",
    ["redis"],
  ),

  // Into the log. A consumer appends too: expiries, and what jobs write.
  commandsAccepted: both.counter(
    "millrace_commands_accepted_total",
    "commands",
    "Commands that this process has put in the log at the grade asked for.",
    ["grade"],
  ),
  appendFailures: both.counter(
    "millrace_append_failures_total",
    "groups",
    "Groups of commands whose append failed or was not confirmed: sent again, unless the log refused them for certain.",
    ["grade"],
  ),
  appendBatch: both.histogram(
    "millrace_append_batch_commands",
    "commands",
    "Commands in a group that was appended.",
    BATCH_COMMANDS,
  ),
  appendDuration: both.histogram(
    "millrace_append_duration_seconds",
    "seconds",
    "From sending a group to the log until it is acknowledged at its grade.",
    CALL_SECONDS,
    ["grade"],
  ),

  // Partitions, as each process sees them.
  partitions: both.gauge("millrace_partitions", "partitions", "Partitions of this installation."),
  partitionState: both.gauge(
    "millrace_partition_state",
    "state",
    "1 for the state that a partition is in: ok, held, unconfirmed, recovering, frozen, lost-base (an api tells of all partitions, a consumer of its own).",
    ["partition", "state"],
  ),
  partitionStateEntered: both.counter(
    "millrace_partition_state_entered_total",
    "entries",
    "Times a partition has come into a state.",
    ["state"],
  ),

  // api
  httpRequests: api.counter(
    "millrace_http_requests_total",
    "requests",
    "Requests answered, by route (method and path template) and status.",
    ["route", "status"],
  ),
  httpDuration: api.histogram(
    "millrace_http_request_duration_seconds",
    "seconds",
    "From a request's headers until its answer is known; of streams, until they begin.",
    REQUEST_SECONDS,
    ["route"],
  ),
  httpProblems: api.counter(
    "millrace_http_problems_total",
    "answers",
    "Answers of failure, by the problem's type: what is refused at a bound is among them.",
    ["type"],
  ),
  waiters: api.gauge("millrace_waiters", "requests", "Requests that wait for a result or a revision now."),
  watchers: api.gauge("millrace_watchers", "streams", "Streams of changes that are open now."),
  watchEvents: api.counter("millrace_watch_events_total", "events", "Events written to streams of changes."),
  admissionClosed: api.gauge(
    "millrace_admission_closed",
    "state",
    "1 while writes are refused at a bound: backlog-full of a partition, or log-full (then without a partition).",
    ["bound", "partition"],
  ),
  logMemoryUsed: api.gauge("millrace_log_memory_used_bytes", "bytes", "Memory that the log's Redis uses."),
  logMemoryLimit: api.gauge(
    "millrace_log_memory_limit_bytes",
    "bytes",
    "What the log's Redis may use: its maxmemory, or where it has none the machine's memory.",
  ),
  logCommandsGone: api.counter(
    "millrace_log_commands_gone_total",
    "commands",
    "Commands acknowledged to this api that the log no longer counts: it went back.",
  ),
  partitionBacklog: api.gauge("millrace_partition_backlog", "commands", "Commands accepted and not yet applied.", [
    "partition",
  ]),
  partitionOldestUnapplied: api.gauge(
    "millrace_partition_oldest_unapplied_seconds",
    "seconds",
    "Age of the oldest command accepted and not yet applied; 0 where there is none.",
    ["partition"],
  ),
  partitionHasOwner: api.gauge(
    "millrace_partition_has_owner",
    "state",
    "1 while a consumer has the lease of a partition, else 0.",
    ["partition"],
  ),
  deadLetters: api.gauge("millrace_dead_letters", "letters", "Dead letters that a partition holds now.", ["partition"]),
  deadLetterBytes: api.gauge(
    "millrace_dead_letter_bytes",
    "bytes",
    "Headers and values of the dead letters that a partition holds now.",
    ["partition"],
  ),
  idempotencyKeys: api.gauge("millrace_idempotency_keys", "keys", "Idempotency keys that a partition knows.", [
    "partition",
  ]),

  // consumer
  commandsApplied: consumer.counter("millrace_commands_applied_total", "commands", "Commands applied with effect."),
  commandsRejected: consumer.counter(
    "millrace_commands_rejected_total",
    "commands",
    "Commands whose condition was not met, or whose type did not fit.",
  ),
  commandsDead: consumer.counter(
    "millrace_commands_dead_total",
    "commands",
    "Commands that could not be applied and became dead letters.",
  ),
  commandsRepeated: consumer.counter(
    "millrace_commands_repeated_total",
    "commands",
    "Commands whose producer's sequence had been applied before: no effect.",
  ),
  commandsRetried: consumer.counter(
    "millrace_commands_retried_total",
    "commands",
    "Commands of applies that failed or had no effect: they are read and applied again.",
  ),
  commandsLost: consumer.counter(
    "millrace_commands_lost_total",
    "commands",
    "Commands that a producer counted and the log never held: lost writes of grade memory.",
  ),
  putToApplied: consumer.histogram(
    "millrace_put_to_applied_seconds",
    "seconds",
    "From a command's append, by the time in its id, until it is applied; by the clocks of log and consumer.",
    AGE_SECONDS,
  ),
  applyBatch: consumer.histogram(
    "millrace_apply_batch_commands",
    "commands",
    "Commands in an apply that went through.",
    BATCH_COMMANDS,
  ),
  applyDuration: consumer.histogram(
    "millrace_apply_duration_seconds",
    "seconds",
    "From sending an apply until its answer, another one before it in the line included.",
    CALL_SECONDS,
  ),
  applyMismatches: consumer.counter(
    "millrace_apply_mismatches_total",
    "applies",
    "Applies that found another watermark than expected: no effect.",
  ),
  partitionHolds: consumer.counter(
    "millrace_partition_holds_total",
    "holds",
    "Attempts to go on with a partition that a fault has stopped.",
  ),
  partitionHalts: consumer.counter(
    "millrace_partition_halts_total",
    "halts",
    "Times a partition was halted: frozen or lost-base.",
  ),
  storeHeals: consumer.counter(
    "millrace_store_heals_total",
    "heals",
    "Times a store came back older and the log was replayed to it.",
  ),
  partitionTakeovers: consumer.counter(
    "millrace_partition_takeovers_total",
    "takeovers",
    "Partitions that this consumer has taken over.",
  ),
  partitionOwner: consumer.gauge("millrace_partition_owner", "state", "1 for each partition that this consumer owns.", [
    "partition",
  ]),
  partitionsOwned: consumer.gauge("millrace_partitions_owned", "partitions", "Partitions that this consumer owns."),
  logEntriesTrimmed: consumer.counter(
    "millrace_log_entries_trimmed_total",
    "entries",
    "Entries of the log that were trimmed.",
  ),
  logEntriesTrimmedEarly: consumer.counter(
    "millrace_log_entries_trimmed_early_total",
    "entries",
    "Those of them that memory, and not the retention, has cost.",
  ),
  logReconciliations: consumer.counter(
    "millrace_log_reconciliations_total",
    "reconciliations",
    "Times a log that had gone back was brought into line with its store.",
  ),
  commandsMissedByLog: consumer.counter(
    "millrace_commands_missed_by_log_total",
    "commands",
    "Commands that a log had lost when it went back, and the store had applied.",
  ),
  commandsReappended: consumer.counter(
    "millrace_commands_reappended_total",
    "commands",
    "Commands of a log that had gone back that were appended again.",
  ),
  jobsRunning: consumer.gauge("millrace_jobs_running", "jobs", "Jobs that this consumer works on now."),
  jobsEnded: consumer.counter(
    "millrace_jobs_ended_total",
    "jobs",
    "Jobs that ended here, by how: done, failed, cancelled, lost to another runner, or stopped with this process.",
    ["end"],
  ),
} as const;
