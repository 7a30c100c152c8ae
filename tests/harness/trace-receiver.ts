/** An OTLP/HTTP receiver: takes what processes really export, decodes it, and finds spans in it. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { cleanUpLater } from "./running.ts";
import { waitFor } from "./wait-for.ts";

/** As OTLP names them (https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto). */
export const KINDS = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"] as const;

export interface ReceivedSpan {
  readonly service: string;
  readonly name: string;
  readonly kind: (typeof KINDS)[number];
  readonly traceId: string;
  readonly spanId: string;
  /** Null: the trace begins with it. */
  readonly parent: string | null;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly error: boolean;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly tracestate: string;
  readonly startNs: bigint;
  readonly endNs: bigint;
}

export interface TraceReceiver {
  readonly url: string;
  /** All that came, oldest first. */
  spans(): readonly ReceivedSpan[];
  /** Everything as it came over the wire. */
  text(): string;
  /** The spans of a trace, once they are complete by what this says of them. */
  trace(traceId: string, complete: (spans: readonly ReceivedSpan[]) => boolean): Promise<readonly ReceivedSpan[]>;
}

export async function startTraceReceiver(): Promise<TraceReceiver> {
  const bodies: string[] = [];
  const spans: ReceivedSpan[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      bodies.push(body);
      if (request.url === "/v1/traces") spans.push(...decode(body));
      response.writeHead(200, { "Content-Type": "application/json" }).end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUpLater(async () => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans: () => spans,
    text: () => bodies.join("\n"),
    trace: (traceId, complete) =>
      waitFor(
        () => {
          const found = spans.filter((span) => span.traceId === traceId);
          return complete(found) ? found : undefined;
        },
        { timeoutMs: 15_000, what: `all spans of trace ${traceId}` },
      ),
  };
}

interface Value {
  readonly stringValue?: string;
  readonly intValue?: string | number;
  readonly doubleValue?: number;
  readonly boolValue?: boolean;
}

type Attributes = readonly { readonly key: string; readonly value: Value }[];

interface WireSpan {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly traceState?: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: Attributes;
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status?: { readonly code?: number };
}

interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: Attributes };
    readonly scopeSpans: readonly { readonly spans: readonly WireSpan[] }[];
  }[];
}

function decode(body: string): ReceivedSpan[] {
  const { resourceSpans } = JSON.parse(body) as Export;
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = String(plain(resource.attributes)["service.name"]);
    return scopeSpans.flatMap((scope) => scope.spans.map((span) => read(service, span)));
  });
}

function read(service: string, span: WireSpan): ReceivedSpan {
  return {
    service,
    name: span.name,
    kind: KINDS[span.kind] ?? "UNSPECIFIED",
    traceId: span.traceId,
    spanId: span.spanId,
    parent: span.parentSpanId ? span.parentSpanId : null,
    attributes: plain(span.attributes ?? []),
    error: span.status?.code === 2,
    links: (span.links ?? []).map(({ traceId, spanId }) => ({ traceId, spanId })),
    tracestate: span.traceState ?? "",
    startNs: BigInt(span.startTimeUnixNano),
    endNs: BigInt(span.endTimeUnixNano),
  };
}

function plain(attributes: Attributes): Record<string, string | number | boolean> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      value.stringValue ?? value.boolValue ?? value.doubleValue ?? Number(value.intValue),
    ]),
  );
}
