/**
 * A span that is recorded: it collects what is said of it, and is what an exporter reads. It costs half of the SDK's own
 * (docs/decisions/0035-spans.md), because it neither checks nor limits what it is told: it is told only by us.
 */
import {
  type Attributes,
  type AttributeValue,
  type Exception,
  type HrTime,
  type Link,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanOptions,
  type SpanStatus,
  SpanStatusCode,
  type TimeInput,
} from "@opentelemetry/api";
import type { ReadableSpan, TimedEvent } from "@opentelemetry/sdk-trace-node";

/** What all spans of a tracer have in common. */
export interface SpanOrigin extends Pick<ReadableSpan, "resource" | "instrumentationScope"> {
  /** Is told of each span that has ended. */
  readonly take: (span: ReadableSpan) => void;
}

export class RecordedSpan implements Span, ReadableSpan {
  name: string;
  readonly kind: SpanKind;
  readonly parentSpanContext?: SpanContext;
  status: SpanStatus = { code: SpanStatusCode.UNSET };
  ended = false;
  /** What all spans of its kind have: one object for all. */
  readonly common: Attributes;
  /** What is said of it alone; it counts where both have a name. */
  readonly own: Attributes = {};
  links: Link[] = NONE;
  events: TimedEvent[] = NONE;
  readonly #context: SpanContext;
  readonly #origin: SpanOrigin;
  readonly #createdMs = Date.now();
  /** The same moment by the clock that is fine enough: most spans take less than a millisecond. */
  readonly #begunMs = performance.now();
  readonly #startMs: number;
  #endMs = 0;

  /**
   * @param options attributes are those that all spans of its kind have: kept, and not to be changed
   * @param parent undefined: its trace begins with it
   */
  constructor(
    origin: SpanOrigin,
    name: string,
    { kind = SpanKind.INTERNAL, startTime, attributes, links }: SpanOptions,
    context: SpanContext,
    parent: SpanContext | undefined,
  ) {
    this.name = name;
    this.kind = kind;
    if (parent) this.parentSpanContext = parent;
    this.#context = context;
    this.#origin = origin;
    this.#startMs = startTime === undefined ? this.#createdMs : msOf(startTime);
    this.common = attributes ?? NOTHING;
    if (links && links.length > 0) this.addLinks(links);
  }

  spanContext(): SpanContext {
    return this.#context;
  }

  isRecording(): boolean {
    return !this.ended;
  }

  setAttribute(name: string, value: AttributeValue): this {
    if (!this.ended) this.own[name] = value;
    return this;
  }

  setAttributes(attributes: Attributes): this {
    if (!this.ended) Object.assign(this.own, attributes);
    return this;
  }

  addLink(link: Link): this {
    return this.addLinks([link]);
  }

  addLinks(links: Link[]): this {
    if (!this.ended) this.links = [...this.links, ...links];
    return this;
  }

  /** @param about its attributes, or its time */
  addEvent(name: string, about?: Attributes | TimeInput, time?: TimeInput): this {
    if (this.ended) return this;
    const [attributes, at] = isTime(about) ? [{}, about] : [{ ...about }, time];
    const timeMs = at === undefined ? this.#nowMs() : msOf(at);
    this.events = [...this.events, { name, attributes, time: hrTimeOf(timeMs), droppedAttributesCount: 0 }];
    return this;
  }

  /** What kind of exception it is. Its message may name what must not be known (docs/decisions/0033-traces.md). */
  recordException(exception: Exception, time?: TimeInput): void {
    const type = typeof exception === "string" ? "Error" : String(exception.code ?? exception.name);
    this.addEvent("exception", { "exception.type": type }, time);
  }

  setStatus(status: SpanStatus): this {
    if (!this.ended) this.status = status;
    return this;
  }

  updateName(name: string): this {
    if (!this.ended) this.name = name;
    return this;
  }

  end(endTime?: TimeInput): void {
    if (this.ended) return;
    this.#endMs = endTime === undefined ? this.#nowMs() : msOf(endTime);
    this.ended = true;
    this.#origin.take(this);
  }

  #nowMs(): number {
    return this.#createdMs + performance.now() - this.#begunMs;
  }

  // What follows is read once, by whoever exports it.

  get attributes(): Attributes {
    return { ...this.common, ...this.own };
  }

  get startTime(): HrTime {
    return hrTimeOf(this.#startMs);
  }

  get endTime(): HrTime {
    return hrTimeOf(Math.max(this.#startMs, this.#endMs));
  }

  get duration(): HrTime {
    return hrTimeOf(Math.max(0, this.#endMs - this.#startMs));
  }

  get resource(): ReadableSpan["resource"] {
    return this.#origin.resource;
  }

  get instrumentationScope(): ReadableSpan["instrumentationScope"] {
    return this.#origin.instrumentationScope;
  }

  get droppedAttributesCount(): number {
    return 0;
  }

  get droppedEventsCount(): number {
    return 0;
  }

  get droppedLinksCount(): number {
    return 0;
  }
}

/** Most have none. Never written to. */
const NONE: never[] = [];
const NOTHING: Attributes = {};

const NS_PER_MS = 1e6;

function hrTimeOf(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.floor((ms - seconds * 1000) * NS_PER_MS)];
}

function msOf(time: TimeInput): number {
  if (typeof time === "number") return time;
  return time instanceof Date ? time.getTime() : time[0] * 1000 + time[1] / NS_PER_MS;
}

function isTime(about: Attributes | TimeInput | undefined): about is TimeInput {
  return typeof about === "number" || about instanceof Date || Array.isArray(about);
}
