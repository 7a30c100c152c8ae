/**
 * The spans of one command on its way through the api: into the log, and until it is applied.
 */
import { type Span, SpanKind, type Tracer, trace } from "@opentelemetry/api";
import type { Accepted } from "../core/appender.ts";
import { endFailed } from "../core/call-span.ts";
import { bytesIn, type Command } from "../core/command.ts";
import { formatRevision } from "../core/entry-id.ts";
import { ATTRIBUTES, LOG_NAME, MESSAGING_SYSTEM, SPANS } from "../core/telemetry.ts";
import {
  contextOf,
  formatTraceparent,
  isSampled,
  isSampledSpan,
  type TraceCarrier,
  unsampled,
} from "../core/trace-context.ts";
import type { Passed } from "./applied-feed.ts";
import type { Incoming } from "./exchange.ts";
import { baggageOf } from "./request-span.ts";
import type { Origin } from "./write.ts";

type Traced = Pick<Incoming, "header" | "span">;

/**
 * Is a command of this request recorded?
 * @param original the trace of the command that died, where it settles a dead letter
 */
export function isRecorded({ span }: Traced, original: string | undefined): boolean {
  return isSampledSpan(span) || isSampled(original);
}

/**
 * Submits a recorded command with the trace that it belongs to: its request's, or where it settles a dead letter that of
 * the command that died, with a link to the request.
 * @param command where it has a traceparent, that is of the command that died
 */
export function submitRecorded(
  tracer: Tracer,
  incoming: Traced,
  partition: number,
  command: Command,
  submit: (command: Command) => Promise<Accepted>,
): Promise<Accepted> {
  const baggage = baggageOf(incoming);
  const span = sendSpan(tracer, incoming.span, partition, command, baggage);
  const context = span.spanContext();
  const carrier: TraceCarrier = {
    traceparent: formatTraceparent(context),
    tracestate: context.traceState?.serialize(),
    baggage,
  };
  return submit({ ...command, ...carrier }).then(
    (accepted) => {
      span.setAttribute(ATTRIBUTES.messagingMessage, formatRevision(accepted.partition, accepted.id));
      span.setAttribute(ATTRIBUTES.grade, accepted.grade);
      span.end();
      return accepted;
    },
    (error: unknown) => {
      endFailed(span, error);
      throw error;
    },
  );
}

function sendSpan(tracer: Tracer, request: Span, partition: number, command: Command, baggage?: string): Span {
  const { traceparent, tracestate, namespace, operation, replays } = command;
  const letter = replays?.letter ?? (operation.op === "discard" ? operation.letter : undefined);
  const attributes = {
    [ATTRIBUTES.messagingSystem]: MESSAGING_SYSTEM,
    [ATTRIBUTES.messagingDestination]: LOG_NAME,
    [ATTRIBUTES.messagingPartition]: String(partition),
    [ATTRIBUTES.messagingOperation]: "send",
    [ATTRIBUTES.messagingOperationType]: "send",
    [ATTRIBUTES.messagingBodyBytes]: bytesIn(operation),
    [ATTRIBUTES.namespace]: namespace,
    [ATTRIBUTES.operation]: operation.op,
    ...(letter !== undefined && { [ATTRIBUTES.letter]: formatRevision(partition, letter) }),
  };
  const options = { kind: SpanKind.PRODUCER, attributes };
  if (traceparent === undefined) {
    return tracer.startSpan(SPANS.send, options, trace.setSpan(contextOf({ baggage }), request));
  }
  const links = [{ context: request.spanContext() }];
  // What becomes of a command that died is recorded when either of the two is.
  return tracer.startSpan(SPANS.send, { ...options, links }, contextOf({ traceparent, tracestate, baggage }, true));
}

/** The waiting of a request for what becomes of its command. */
export async function waitTraced(tracer: Tracer, request: Span, wait: () => Promise<Passed>): Promise<Passed> {
  if (!isSampledSpan(request)) return wait();
  const span = tracer.startSpan(SPANS.wait, { kind: SpanKind.INTERNAL }, trace.setSpan(contextOf({}), request));
  try {
    const passed = await wait();
    span.setAttribute(ATTRIBUTES.outcome, passed.passed ? (passed.result?.outcome ?? "applied") : "pending");
    span.end();
    return passed;
  } catch (error) {
    endFailed(span, error);
    throw error;
  }
}

/** The same request, for commands that have no spans of their own: their trace id stays. */
export function untraced(incoming: Origin["incoming"]): Origin["incoming"] {
  return {
    span: unsampled(incoming.span),
    header: (name) => incoming.header(name),
    get gone() {
      return incoming.gone;
    },
  };
}
