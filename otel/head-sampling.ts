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
import { isSampled, isSampledContext, WrittenContext } from "../core/trace-context.ts";
import { isOfShare, NewTraces } from "./new-traces.ts";
import { RecordedSpan, type SpanOrigin } from "./recorded-span.ts";
import type { Sampling } from "./settings.ts";
import { UnrecordedSpan } from "./unrecorded-span.ts";
import { WallClock } from "./wall-clock.ts";

export class HeadSampling implements TracerProvider {
  readonly #sampling: Sampling;
  readonly #origin: Pick<SpanOrigin, "resource" | "take">;
  readonly #clock = new WallClock();
  readonly #traces: NewTraces;

  constructor(sampling: Sampling, origin: Pick<SpanOrigin, "resource" | "take">) {
    this.#sampling = sampling;
    this.#origin = origin;
    this.#traces = new NewTraces(sampling.share);
  }

  getTracer(name: string): Tracer {
    const origin = { ...this.#origin, clock: this.#clock, instrumentationScope: { name } };
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
    const traceparent = parent ? this.#goOn(parent) : this.#traces.next();
    if (!isSampled(traceparent)) return new UnrecordedSpan(traceparent, parent?.traceState);
    return new RecordedSpan(origin, name, options, new WrittenContext(traceparent, parent?.traceState), parent);
  }

  #goOn(parent: SpanContext): string {
    const { share, parentBased } = this.#sampling;
    const { traceId } = parent;
    const recorded = parentBased ? isSampledContext(parent) : isOfShare(traceId, share);
    return `00-${traceId}-${this.#traces.nextSpanId()}-0${Number(recorded)}`;
  }
}

/** @returns undefined where there is none, or none that is valid */
function parentIn(context: Context): SpanContext | undefined {
  if (context === ROOT_CONTEXT) return undefined;
  const parent = trace.getSpanContext(context);
  return parent?.traceId === INVALID_TRACEID ? undefined : parent;
}
