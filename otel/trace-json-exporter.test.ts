/** What a collector is sent, against what OpenTelemetry's own exporter sends it. */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace-node";
import { afterEach, expect, test, vi } from "vitest";
import { HeadSampling } from "./head-sampling.ts";
import { TraceJsonExporter } from "./trace-json-exporter.ts";

interface Sent {
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

const sent: Sent[] = [];
const collector = createServer((incoming, outgoing) => {
  const chunks: Buffer[] = [];
  incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
  incoming.on("end", () => {
    const { "content-length": _, ...headers } = incoming.headers;
    sent.push({ url: incoming.url, headers, body: JSON.parse(Buffer.concat(chunks).toString()) });
    // Every other time it is too busy: then it is sent again.
    outgoing.writeHead(sent.length % 2 === 1 ? 503 : 200, { "Retry-After": "0" }).end("{}");
  });
});

afterEach(() => {
  vi.unstubAllEnvs();
  collector.close();
});

/** @returns how it ended, 0 for well */
function exported(exporter: SpanExporter, spans: ReadableSpan[]): Promise<number> {
  return new Promise((resolve) => {
    exporter.export(spans, ({ code }) => resolve(code));
  });
}

test("a collector is sent what OpenTelemetry's exporter sends, to where its settings say, and again when it is too busy", async () => {
  collector.listen(0, "127.0.0.1");
  await once(collector, "listening");
  const { port } = collector.address() as AddressInfo;
  vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", `http://127.0.0.1:${port}/below`);
  vi.stubEnv("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=a");

  const spans: ReadableSpan[] = [];
  const resource = resourceFromAttributes({ "service.name": "api" });
  const sampling = new HeadSampling(
    { share: 1, parentBased: true },
    { resource, take: (span) => void spans.push(span) },
  );
  sampling
    .getTracer("test")
    .startSpan("span", { attributes: { own: "yes" } })
    .end();

  for (const exporter of [new TraceJsonExporter(), new OTLPTraceExporter()]) {
    expect(await exported(exporter, spans)).toBe(0);
    await exporter.shutdown();
  }
  const [ours, oursAgain, theirs] = sent;
  expect(sent).toHaveLength(4);
  expect(ours).toMatchObject({ url: "/below/v1/traces", headers: { "x-tenant": "a" } });
  expect([ours, oursAgain]).toEqual([theirs, theirs]);
});
