/** What a collector is sent, against what OpenTelemetry's own exporter sends it. */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace-node";
import { afterEach, expect, test, vi } from "vitest";
import { HeadSampling } from "../../otel/head-sampling.ts";
import { ThreadExporter } from "../../otel/thread-exporter.ts";

const THREAD = new URL("../../dist/packed/otel/export-thread.js", import.meta.url);

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

function spansNamed(name: string): ReadableSpan[] {
  const spans: ReadableSpan[] = [];
  const resource = resourceFromAttributes({ "service.name": "api" });
  const take = (span: ReadableSpan) => void spans.push(span);
  const tracer = new HeadSampling({ share: 1, parentBased: true }, { resource, take }).getTracer("test");
  tracer.startSpan(name, { attributes: { own: "yes" } }).end();
  return spans;
}

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

  const spans = spansNamed("span");
  for (const exporter of [new ThreadExporter(THREAD), new OTLPTraceExporter()]) {
    expect(await exported(exporter, spans)).toBe(0);
    await exporter.shutdown();
  }
  const [ours, oursAgain, theirs] = sent;
  expect(sent).toHaveLength(4);
  expect(ours).toMatchObject({ url: "/below/v1/traces", headers: { "x-tenant": "a" } });
  expect([ours, oursAgain]).toEqual([theirs, theirs]);
});

test("a thread that ends or breaks fails its batch alone: the next one has a new thread", async () => {
  const program = `
    import { parentPort } from "node:worker_threads";
    parentPort.on("message", ({ id, body }) => {
      if (Buffer.from(body).includes("deadly")) process.exit(1);
      if (Buffer.from(body).includes("broken")) throw new Error("broken");
      parentPort.postMessage({ id, fault: null });
    });
  `;
  const exporter = new ThreadExporter(new URL(`data:text/javascript,${encodeURIComponent(program)}`));
  expect(await exported(exporter, spansNamed("good"))).toBe(0);
  for (const bad of ["deadly", "broken"]) {
    expect(await exported(exporter, spansNamed(bad))).toBe(1);
    expect(await exported(exporter, spansNamed("good"))).toBe(0);
  }
  await exporter.shutdown();
});
