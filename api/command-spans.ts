/**
 * The spans of one command on its way through the api: into the log, and until it is applied.
 */
import { type Attributes, type Span, SpanKind, type Tracer } from "@opentelemetry/api";
import type { Accepted } from "../core/appender.ts";
import { endFailed } from "../core/call-span.ts";
import { bytesIn, type Command } from "../core/command.ts";
import { formatRevision } from "../core/entry-id.ts";
import { ATTRIBUTES, LOG_NAME, MESSAGING_SYSTEM, SPANS } from "../core/telemetry.ts";
import {
  contextOf,
  formatTraceparent,
  isSampled,
  isSampledContext,
  type TraceCarrier,
  unsampled,
  within,
} from "../core/trace-context.ts";
import type { Passed } from "./applied-feed.ts";
import type { Incoming } from "./exchange.ts";
import { baggageOf } from "./request-span.ts";
import type { Origin } from "./write.ts";

type Traced = Pick<Incoming, "header" | "span">;
type Said = Pick<Command, "operation" | "replays" | keyof TraceCarrier>;

/** A command's way into the log. */
export interface Sending {
  /** Null where it is not recorded. */
  readonly span: Span | null;
  /** What of its trace travels with the command. */
  readonly carrier: TraceCarrier;
}

/**
 * A command belongs to the trace of its request; where it settles a dead letter to that of the command that died, with
 * links between it and the request. What becomes of a command that died is recorded when either of the two is.
 * @param said where it has a traceparent, that is of the command that died
 */
export function startSending(
  tracer: Tracer,
  incoming: Traced,
  partition: number,
  namespace: string,
  said: Said,
): Sending {
  const { traceparent } = said;
  const request = incoming.span.spanContext();
  if (!isSampledContext(request) && !isSampled(traceparent)) {
    return { span: null, carrier: traceparent === undefined ? { traceparent: formatTraceparent(request) } : said };
  }
  const baggage = baggageOf(incoming);
  const options = { kind: SpanKind.PRODUCER, attributes: SEND };
  const span =
    traceparent === undefined
      ? tracer.startSpan(SPANS.send, options, within(incoming.span))
      : tracer.startSpan(SPANS.send, { ...options, links: [{ context: request }] }, contextOf(said, true));
  describe(span, partition, namespace, said);
  const context = span.spanContext();
  // And back: who has the trace of the request alone finds where it went on.
  if (traceparent !== undefined) incoming.span.addLink({ context });
  return {
    span,
    carrier: { traceparent: formatTraceparent(context), tracestate: context.traceState?.serialize(), baggage },
  };
}

const SEND: Attributes = {
  [ATTRIBUTES.messagingSystem]: MESSAGING_SYSTEM,
  [ATTRIBUTES.messagingDestination]: LOG_NAME,
  [ATTRIBUTES.messagingOperation]: "send",
  [ATTRIBUTES.messagingOperationType]: "send",
};

function describe(span: Span, partition: number, namespace: string, { operation, replays }: Said): void {
  span.setAttribute(ATTRIBUTES.messagingPartition, String(partition));
  span.setAttribute(ATTRIBUTES.messagingBodyBytes, bytesIn(operation));
  span.setAttribute(ATTRIBUTES.namespace, namespace);
  span.setAttribute(ATTRIBUTES.operation, operation.op);
  const letter = replays?.letter ?? (operation.op === "discard" ? operation.letter : undefined);
  if (letter !== undefined) span.setAttribute(ATTRIBUTES.letter, formatRevision(partition, letter));
}

/** The same promise; the span ends with it. */
export async function endSent(span: Span, sent: Promise<Accepted>): Promise<Accepted> {
  try {
    const accepted = await sent;
    span.setAttribute(ATTRIBUTES.messagingMessage, formatRevision(accepted.partition, accepted.id));
    span.setAttribute(ATTRIBUTES.grade, accepted.grade);
    span.end();
    return accepted;
  } catch (error) {
    endFailed(span, error);
    throw error;
  }
}

/** The waiting of a request for what becomes of its command. */
export async function waitTraced(tracer: Tracer, request: Span, wait: () => Promise<Passed>): Promise<Passed> {
  if (!isSampledContext(request.spanContext())) return wait();
  const span = tracer.startSpan(SPANS.wait, { kind: SpanKind.INTERNAL }, within(request));
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
