/**
 * The only place that spells names of telemetry. Metrics have a table of their own.
 */

export { METRICS } from "./metrics-table.ts";

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
