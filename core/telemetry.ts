/**
 * The only place that spells a metric name.
 */

export const METRICS = {
  // both
  /** 1 while a majority of the Sentinels agrees on the master (always, without Sentinel), by redis. */
  redisSettled: "millrace_redis_settled",
  /** K: replicas that must hold what counts as confirmed, by redis. */
  redisConfirmReplicas: "millrace_redis_confirm_replicas",
  /** The Sentinels' configuration epoch: it grows with each failover, by redis. */
  redisEpoch: "millrace_redis_epoch",

  // api
  httpRequests: "millrace_http_requests_total",
  /** Answers of failure, by the problem's type: what is refused at a bound is among them. */
  httpProblems: "millrace_http_problems_total",
  waiters: "millrace_waiters",
  /** Streams of changes that are open now, and events written to all there ever were. */
  watchers: "millrace_watchers",
  watchEvents: "millrace_watch_events_total",
  /** 1 while writes are refused at this bound. */
  admissionClosed: "millrace_admission_closed",
  logMemoryUsed: "millrace_log_memory_used_bytes",
  /** What Redis may use: its maxmemory, or where it has none the machine's memory. */
  logMemoryLimit: "millrace_log_memory_limit_bytes",
  /** Commands acknowledged by the log that it no longer counts: it went back. Some may have been applied before. */
  logCommandsGone: "millrace_log_commands_gone_total",
  /** Commands accepted and not yet applied. */
  partitionBacklog: "millrace_partition_backlog",
  /** Dead letters that a partition holds now, and their bytes. */
  deadLetters: "millrace_dead_letters",
  deadLetterBytes: "millrace_dead_letter_bytes",
  /** Idempotency keys that a partition knows. */
  idempotencyKeys: "millrace_idempotency_keys",

  // consumer
  commandsApplied: "millrace_commands_applied_total",
  commandsRejected: "millrace_commands_rejected_total",
  commandsDead: "millrace_commands_dead_total",
  /** Commands whose producer sequence had been applied before. */
  commandsRepeated: "millrace_commands_repeated_total",
  /** Commands that a producer counted and the log never held. */
  commandsLost: "millrace_commands_lost_total",
  applyBatches: "millrace_apply_batches_total",
  applyMismatches: "millrace_apply_mismatches_total",
  partitionHolds: "millrace_partition_holds_total",
  storeHeals: "millrace_store_heals_total",
  partitionTakeovers: "millrace_partition_takeovers_total",
  logEntriesTrimmed: "millrace_log_entries_trimmed_total",
  logReconciliations: "millrace_log_reconciliations_total",
  /** Commands that a log had lost when it went back, and the store had applied. */
  commandsMissedByLog: "millrace_commands_missed_by_log_total",
  /** Commands of a log that had gone back that were appended again. */
  commandsReappended: "millrace_commands_reappended_total",
  /** Those of them that memory, and not the retention, has cost. */
  logEntriesTrimmedEarly: "millrace_log_entries_trimmed_early_total",
  partitionsOwned: "millrace_partitions_owned",
  /** Jobs that this consumer works on now. */
  jobsRunning: "millrace_jobs_running",
  /** Jobs that ended here, by how: done, failed, cancelled, lost to another runner, or stopped with this process. */
  jobsEnded: "millrace_jobs_ended_total",

  // both
  partitionState: "millrace_partition_state",
  partitionStateEntered: "millrace_partition_state_entered_total",
} as const;

/** Where our spans come from. */
export const TRACER = "millrace";

/** What the log is for whoever reads spans: a messaging system of its own, made of Redis Streams. */
export const MESSAGING_SYSTEM = "redis_streams";
export const LOG_NAME = "log";
export const DB_SYSTEM = "redis";

/**
 * What spans are called: a verb and what it is done to, never a key. The verbs of messaging are those of OpenTelemetry
 * (https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/).
 */
export const SPANS = {
  /** One command goes into the log; its context is what travels with the command. */
  send: "send log",
  /** One call that appends the commands of one turn. */
  append: "append log",
  /** Somebody waits for a command's result. */
  wait: "wait for applied",
  /** One command is applied, or an attempt at it fails. */
  process: "process log",
  /** One call that applies a batch. */
  apply: "apply store",
  /** A command that was applied before is taken off the list of those delivered. */
  settle: "settle log",
} as const;

/**
 * Attributes of spans. The first ones are OpenTelemetry's (https://opentelemetry.io/docs/specs/semconv/; those of messaging
 * are still in development there), the others our own. No key, no value, no token is ever one.
 */
export const ATTRIBUTES = {
  httpMethod: "http.request.method",
  httpRoute: "http.route",
  httpStatus: "http.response.status_code",
  urlScheme: "url.scheme",
  errorType: "error.type",
  messagingSystem: "messaging.system",
  messagingDestination: "messaging.destination.name",
  messagingPartition: "messaging.destination.partition.id",
  messagingOperation: "messaging.operation.name",
  messagingOperationType: "messaging.operation.type",
  messagingMessage: "messaging.message.id",
  messagingBodyBytes: "messaging.message.body.size",
  messagingBatchSize: "messaging.batch.message_count",
  messagingGroup: "messaging.consumer.group.name",
  messagingClient: "messaging.client.id",
  dbSystem: "db.system.name",
  dbOperation: "db.operation.name",
  dbBatchSize: "db.operation.batch.size",

  requestId: "millrace.request.id",
  /** The type of the problem that a request was answered with. */
  problem: "millrace.problem",
  namespace: "millrace.namespace",
  operation: "millrace.operation",
  grade: "millrace.grade",
  /** applied, rejected or dead; of waiting also pending: the time was over. */
  outcome: "millrace.outcome",
  /** Why a command was rejected. */
  reason: "millrace.reason",
  /** From 1: how often its batch was tried. */
  attempt: "millrace.attempt",
  /** Seconds between the log's taking it and its being read. */
  queued: "millrace.queue.duration",
  /** It had been delivered before, to somebody who then died or was cut off. */
  redelivered: "millrace.redelivered",
  /** The dead letter that a command became, or replays or discards. */
  letter: "millrace.dead_letter.id",
} as const;
