/**
 * A span that is recorded: it collects what is said of it, and is what an exporter reads. It neither checks nor limits what it
 * is told, because it is told only by us, and leaves whatever can wait to the exporter: what is called for one request in
 * twenty is not in the processor's caches, and a batch's loop is (docs/decisions/0035-spans.md).
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
import type { WallClock } from "./wall-clock.ts";

/** What all spans of a tracer have in common. */
export interface SpanOrigin extends Pick<ReadableSpan, "resource" | "instrumentationScope"> {
  /** Is told of each span that has ended. */
  readonly take: (span: ReadableSpan) => void;
  readonly clock: WallClock;
}

export class RecordedSpan implements Span, ReadableSpan {
  name: string;
  readonly kind: SpanKind;
  readonly parentSpanContext?: SpanContext;
  status: SpanStatus = UNSET;
  ended = false;
  /** What all spans of its kind have: one object for all. */
  readonly common: Attributes;
  /** What is said of it alone: names and values in turn. What comes last counts, also where `common` has a name. */
  readonly own: (AttributeValue | undefined)[] = [];
  links: Link[];
  events: TimedEvent[] = NONE;
  readonly #context: SpanContext;
  readonly #origin: SpanOrigin;
  readonly #start: TimeInput;
  #end: TimeInput = 0;

  /**
   * @param options attributes are those that all spans of its kind have; they and links are kept, and not to be changed
   * @param parent undefined: its trace begins with it
   */
  constructor(
    origin: SpanOrigin,
    name: string,
    { kind = SpanKind.INTERNAL, startTime, attributes = NOTHING, links = NONE }: SpanOptions,
    context: SpanContext,
    parent: SpanContext | undefined,
  ) {
    this.name = name;
    this.kind = kind;
    if (parent) this.parentSpanContext = parent;
    this.common = attributes;
    this.links = links;
    this.#context = context;
    this.#origin = origin;
    this.#start = startTime ?? performance.now();
  }

  spanContext(): SpanContext {
    return this.#context;
  }

  isRecording(): boolean {
    return !this.ended;
  }

  setAttribute(name: string, value: AttributeValue): this {
    if (!this.ended) this.own.push(name, value);
    return this;
  }

  setAttributes(attributes: Attributes): this {
    if (!this.ended) for (const name in attributes) this.own.push(name, attributes[name]);
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
    const timeMs = this.#msOf(at ?? performance.now());
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
    this.#end = endTime ?? performance.now();
    this.ended = true;
    this.#origin.take(this);
  }

  // What follows is read once, by whoever exports it.

  get attributes(): Attributes {
    const attributes = { ...this.common };
    for (let at = 0; at < this.own.length; at += 2) attributes[this.own[at] as string] = this.own[at + 1];
    return attributes;
  }

  get startTime(): HrTime {
    return hrTimeOf(this.times[0]);
  }

  get endTime(): HrTime {
    return hrTimeOf(this.times[1]);
  }

  get duration(): HrTime {
    const [startMs, endMs] = this.times;
    return hrTimeOf(endMs - startMs);
  }

  /** When it began and when it ended, in milliseconds since the epoch. */
  get times(): readonly [startMs: number, endMs: number] {
    const [start, end] = [this.#start, this.#end];
    const startMs = this.#msOf(start);
    // By the even clock, where both were: the other one may have been set since.
    return [startMs, Math.max(startMs, isEven(start) && isEven(end) ? startMs + end - start : this.#msOf(end))];
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

  /** Since the epoch. */
  #msOf(time: TimeInput): number {
    if (isEven(time)) return this.#origin.clock.sinceEpoch(time);
    if (typeof time === "number") return time;
    return time instanceof Date ? time.getTime() : time[0] * 1000 + time[1] / NS_PER_MS;
  }
}

const UNSET: SpanStatus = Object.freeze({ code: SpanStatusCode.UNSET });
/** Most have none. Never written to. */
const NONE: never[] = [];
const NOTHING: Attributes = {};

const NS_PER_MS = 1e6;

/** The year 2001, or a process that has run for thirty years. */
const SINCE_EPOCH_MIN_MS = 1e12;

/** Told by `performance.now()`? A time may be a number by either clock (the API's `TimeInput`). */
function isEven(time: TimeInput): time is number {
  return typeof time === "number" && time < SINCE_EPOCH_MIN_MS;
}

export function hrTimeOf(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.floor((ms - seconds * 1000) * NS_PER_MS)];
}

function isTime(about: Attributes | TimeInput | undefined): about is TimeInput {
  return typeof about === "number" || about instanceof Date || Array.isArray(about);
}
