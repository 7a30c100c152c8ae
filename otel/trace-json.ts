/**
 * Spans as OTLP over HTTP takes them, in JSON (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding): the same that
 * the SDK makes of them, in a third of its time (docs/decisions/0035-spans.md). What all spans of a kind have is written once.
 */
import type { Attributes, AttributeValue, Link, SpanContext } from "@opentelemetry/api";
import { JsonTraceSerializer } from "@opentelemetry/otlp-transformer";
import type { ReadableSpan, TimedEvent } from "@opentelemetry/sdk-trace-node";
import { hrTimeOf, type RecordedSpan } from "./recorded-span.ts";

export class TraceJson {
  /** What comes before the spans and after them: resource and scope are the same for all of a process. */
  #envelope: Envelope | null = null;
  readonly #page = new Page();

  /** @param spans recorded by us, all under the same tracer's name */
  serializeRequest(spans: ReadableSpan[]): Uint8Array<ArrayBuffer> | undefined {
    const [first] = spans;
    if (first === undefined) return undefined;
    this.#envelope ??= envelopeOf(first);
    const [before, after] = this.#envelope;
    const page = this.#page;
    page.clear();
    let separator = before;
    for (const span of spans as RecordedSpan[]) {
      page.write(separator + spanText(span));
      separator = ",";
    }
    page.write(after);
    return page.copy();
  }
}

/** A batch of the usual size. */
const PAGE_BYTES = 512 * 1024;
/** Of UTF-8, for one unit of a string. */
const BYTES_A_UNIT_MAX = 3;

/** Text after text, as UTF-8. One by one they are put together and encoded in half the time that all at once would take. */
class Page {
  #bytes = Buffer.allocUnsafeSlow(PAGE_BYTES);
  #end = 0;

  write(text: string): void {
    const most = this.#end + BYTES_A_UNIT_MAX * text.length;
    if (most > this.#bytes.length) this.#grow(2 * most);
    this.#end += this.#bytes.write(text, this.#end);
  }

  clear(): void {
    this.#end = 0;
  }

  /** All that was written since it was clear, in memory of its own. */
  copy(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#bytes.subarray(0, this.#end));
  }

  #grow(bytes: number): void {
    const larger = Buffer.allocUnsafeSlow(bytes);
    this.#bytes.copy(larger, 0, 0, this.#end);
    this.#bytes = larger;
  }
}

type Envelope = readonly [before: string, after: string];

interface Request {
  resourceSpans: { scopeSpans: { spans: unknown[] }[] }[];
}

/** Stands where the spans will. */
const PLACE = "spans of a batch";

/** As the SDK writes it around one span. */
function envelopeOf(span: ReadableSpan): Envelope {
  const request = JSON.parse(String(Buffer.from(JsonTraceSerializer.serializeRequest([span]) ?? []))) as Request;
  const [inScope] = request.resourceSpans[0]?.scopeSpans ?? [];
  if (inScope) inScope.spans = [PLACE];
  const [before = "", after = ""] = JSON.stringify(request).split(JSON.stringify(PLACE));
  return [before, after];
}

function spanText(span: RecordedSpan): string {
  const { parentSpanContext: parent, status } = span;
  const context = span.spanContext();
  const [startMs, endMs] = span.times;
  const message = status.message === undefined ? "" : `,"message":${JSON.stringify(status.message)}`;
  return (
    `{${idsText(context)},${parent ? `"parentSpanId":"${parent.spanId}",` : ""}"name":${quote(span.name)},` +
    `"kind":${span.kind + 1},"startTimeUnixNano":"${nanoText(hrTimeOf(startMs))}","endTimeUnixNano":"${nanoText(hrTimeOf(endMs))}",` +
    `"attributes":[${attributesOf(span)}],"droppedAttributesCount":0,` +
    `"events":[${span.events.length === 0 ? "" : span.events.map(eventText).join(",")}],"droppedEventsCount":0,` +
    `"status":{"code":${status.code}${message}},` +
    `"links":[${span.links.length === 0 ? "" : span.links.map(linkText).join(",")}],"droppedLinksCount":0,` +
    `"flags":${flagsOf(context.traceFlags, parent)}}`
  );
}

function idsText({ traceId, spanId, traceState }: SpanContext): string {
  const state = traceState === undefined ? "" : `,"traceState":${JSON.stringify(traceState.serialize())}`;
  return `"traceId":"${traceId}","spanId":"${spanId}"${state}`;
}

function eventText({ name, time, attributes = {} }: TimedEvent): string {
  const about = attributesText(attributes);
  return `{"attributes":[${about}],"name":${JSON.stringify(name)},"timeUnixNano":"${nanoText(time)}","droppedAttributesCount":0}`;
}

function linkText({ context, attributes = {} }: Link): string {
  const flags = flagsOf(context.traceFlags, context);
  return `{"attributes":[${attributesText(attributes)}],${idsText(context)},"droppedAttributesCount":0,"flags":${flags}}`;
}

/** From whom a span goes on, by its flags in OTLP: known, and from another process. */
const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;

/** @param origin whose process is told: a span's parent, or what a link leads to */
function flagsOf(traceFlags: number, origin: SpanContext | undefined): number {
  return traceFlags | HAS_IS_REMOTE | (origin?.isRemote ? IS_REMOTE : 0);
}

function nanoText([seconds, nanos]: ReadableSpan["startTime"]): string {
  return `${seconds}${String(nanos).padStart(9, "0")}`;
}

/** Written once: there are as many as kinds of spans. */
const commonTexts = new WeakMap<Attributes, string>();

function attributesOf(span: RecordedSpan): string {
  const { common, own } = span;
  let text = commonTexts.get(common);
  if (text === undefined) {
    text = attributesText(common);
    commonTexts.set(common, text);
  }
  for (let at = 0; at < own.length; at += 2) {
    const name = own[at] as string;
    if (name in common || own.indexOf(name, at + 1) > at) return attributesText(span.attributes);
    text += attributeText(text, name, own[at + 1]);
  }
  return text;
}

function attributesText(attributes: Attributes): string {
  let text = "";
  for (const name in attributes) text += attributeText(text, name, attributes[name]);
  return text;
}

/** @param before what it follows */
function attributeText(before: string, name: string, value: AttributeValue | undefined): string {
  return `${before === "" ? "" : ","}{"key":"${name}","value":${valueText(value ?? null)}}`;
}

function valueText(value: AttributeValue | null): string {
  if (typeof value === "string") return `{"stringValue":${quote(value)}}`;
  if (typeof value === "number")
    return `{"${Number.isInteger(value) ? "int" : "double"}Value":${JSON.stringify(value)}}`;
  if (typeof value === "boolean") return `{"boolValue":${value}}`;
  if (value === null) return "{}";
  return `{"arrayValue":{"values":[${value.map((each) => valueText(each ?? null)).join(",")}]}}`;
}

/** What stands in JSON as it is. */
const PLAIN = /^[ !#-[\]-~]*$/;

function quote(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}
