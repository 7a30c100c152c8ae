/**
 * Makes spans, and decides which are recorded, when their trace begins or comes in. What is not costs no more than its ids.
 * The SDK's way of making spans takes twice as long (docs/decisions/0035-spans.md).
 */
import {
  type Context,
  INVALID_TRACEID,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  type SpanOptions,
  type Tracer,
  type TracerProvider,
  trace,
} from "@opentelemetry/api";
import { isSampledContext, WrittenContext } from "../core/trace-context.ts";
import { isOfShare, NewTraces } from "./new-traces.ts";
import { RecordedSpan, type SpanOrigin } from "./recorded-span.ts";
import type { Sampling } from "./settings.ts";

export class HeadSampling implements TracerProvider {
  readonly #sampling: Sampling;
  readonly #origin: Omit<SpanOrigin, "instrumentationScope">;
  readonly #traces: NewTraces;

  constructor(sampling: Sampling, origin: Omit<SpanOrigin, "instrumentationScope">) {
    this.#sampling = sampling;
    this.#origin = origin;
    this.#traces = new NewTraces(sampling.share);
  }

  getTracer(name: string): Tracer {
    const origin = { ...this.#origin, instrumentationScope: { name } };
    return {
      startSpan: (span, options = {}, context = ROOT_CONTEXT) => this.#start(origin, span, options, context),
      /** There is no active span, because keeping one costs every promise of the process: each is told its parent. */
      startActiveSpan: () => {
        throw new Error("start a span with its parent");
      },
    };
  }

  #start(origin: SpanOrigin, name: string, options: SpanOptions, within: Context): Span {
    const parent = options.root ? undefined : parentIn(within);
    const context = parent ? this.#goOn(parent) : new WrittenContext(this.#traces.next());
    if (!isSampledContext(context)) return trace.wrapSpanContext(context);
    return new RecordedSpan(origin, name, options, context, parent);
  }

  #goOn(parent: SpanContext): SpanContext {
    const { share, parentBased } = this.#sampling;
    const { traceId, traceState } = parent;
    const recorded = parentBased ? isSampledContext(parent) : isOfShare(traceId, share);
    return new WrittenContext(`00-${traceId}-${this.#traces.nextSpanId()}-0${Number(recorded)}`, traceState);
  }
}

/** @returns undefined where there is none, or none that is valid */
function parentIn(context: Context): SpanContext | undefined {
  if (context === ROOT_CONTEXT) return undefined;
  const parent = trace.getSpanContext(context);
  return parent?.traceId === INVALID_TRACEID ? undefined : parent;
}
