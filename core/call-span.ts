/**
 * The span of one call to Redis that carries many commands: in the trace of the first of them that is recorded, with links
 * to the others. Where none is recorded there is no span, so that the cost follows the share of what is.
 */
import { type Attributes, type Link, type Span, SpanKind, SpanStatusCode, type Tracer } from "@opentelemetry/api";
import type { Command } from "./command.ts";
import { OperatingError } from "./errors.ts";
import { FUNCTION_CALL } from "./functions/library.ts";
import { SPAN_LINKS_MAX } from "./limits.ts";
import { ATTRIBUTES, DB_SYSTEM } from "./telemetry.ts";
import { contextOf, spanContextOf } from "./trace-context.ts";

const CALL: Attributes = { [ATTRIBUTES.dbSystem]: DB_SYSTEM, [ATTRIBUTES.dbOperation]: FUNCTION_CALL };

/**
 * @param sampled the recorded ones of its commands, at least one
 * @param count of all its commands
 */
export function startCallSpan(tracer: Tracer, name: string, sampled: readonly Command[], count: number): Span {
  const links: Link[] = [];
  for (let at = 1; at < sampled.length && links.length < SPAN_LINKS_MAX; at += 1) {
    const context = spanContextOf(sampled[at] ?? {});
    if (context) links.push({ context });
  }
  const options = { kind: SpanKind.CLIENT, attributes: CALL, links };
  const span = tracer.startSpan(name, options, contextOf(sampled[0] ?? {}));
  return count > 1 ? span.setAttribute(ATTRIBUTES.dbBatchSize, count) : span;
}

/**
 * Ends a span of what went wrong. The error's message is left away: it might be Redis', and of anything.
 * @param endMs by `performance.now()`; now, when left out
 */
export function endFailed(span: Span, error: unknown, endMs?: number): void {
  span.setAttribute(ATTRIBUTES.errorType, error instanceof OperatingError ? error.code : nameOf(error));
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.end(endMs);
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "error";
}
