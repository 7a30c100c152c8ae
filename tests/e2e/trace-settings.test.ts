/** OpenTelemetry's standard settings, obeyed by the bootstrap: a program that makes one span, and what is sent of it. */
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { startChild } from "../../infra/local/child.ts";
import { cleanUpLater, testReaper } from "../harness/running.ts";

const PROGRAM = `
  import { trace } from "@opentelemetry/api";
  trace.getTracer("test").startSpan("one", { attributes: { first: "12345" } }).end();
`;

interface Sent {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What comes to somebody who takes spans, until the program has ended; null: he never answers. */
async function sentWith(settings: NodeJS.ProcessEnv, status: number | null = 200) {
  const sent: Sent[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      sent.push({ headers: request.headers, body: Buffer.concat(chunks) });
      if (status !== null) response.writeHead(status, { "Content-Type": "application/json" }).end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUpLater(async () => {
    server.closeAllConnections();
    server.close();
  });
  const child = await startChild({
    command: process.execPath,
    args: ["--import", "./dist/packed/otel/bootstrap.js", "--input-type=module", "--eval", PROGRAM],
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      OTEL_TRACES_SAMPLER: "always_on",
      ...settings,
    },
    reaper: testReaper(),
  });
  expect(await child.exited).toBe(0);
  return { sent, lines: child.lines() };
}

test("where they go and how: headers, compression, resource", async () => {
  const { sent } = await sentWith({
    OTEL_SERVICE_NAME: "named",
    OTEL_RESOURCE_ATTRIBUTES: "k8s.pod.name=pod-1,service.name=other",
    OTEL_EXPORTER_OTLP_HEADERS: "x-tenant=seven",
    OTEL_EXPORTER_OTLP_COMPRESSION: "gzip",
  });
  expect(sent).toHaveLength(1);
  const [{ headers, body } = { headers: {}, body: Buffer.of() }] = sent;
  expect(headers).toMatchObject({ "x-tenant": "seven", "content-encoding": "gzip" });
  const { resourceSpans } = JSON.parse(gunzipSync(body).toString());
  const resource: unknown = resourceSpans[0].resource.attributes;
  for (const [key, stringValue] of [
    ["service.name", "named"],
    ["k8s.pod.name", "pod-1"],
    ["host.name", expect.any(String)],
    ["service.instance.id", expect.any(String)],
  ])
    expect(resource).toContainEqual({ key, value: { stringValue } });
  expect(resourceSpans[0].scopeSpans[0].spans).toEqual([
    expect.objectContaining({ name: "one", attributes: [{ key: "first", value: { stringValue: "12345" } }] }),
  ]);
});

test.each([
  { OTEL_TRACES_SAMPLER: "always_off" },
  { OTEL_TRACES_SAMPLER: "parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "0" },
  { OTEL_TRACES_EXPORTER: "none" },
  { OTEL_SDK_DISABLED: "true" },
])("nothing goes anywhere with %o", async (settings) => {
  expect((await sentWith(settings)).sent).toEqual([]);
});

test("a sampler that is none is told of, and is as if it were not set", async () => {
  const { lines } = await sentWith({ OTEL_TRACES_SAMPLER: "some" });
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({ level: "warn", msg: "OTEL_TRACES_SAMPLER cannot be read: it is as if it were not set" }),
  ]);
});

test("a collector that never answers holds the end up for no longer than the timeout, and that is told", async () => {
  const { sent, lines } = await sentWith({ OTEL_EXPORTER_OTLP_TIMEOUT: "100" }, null);
  expect(sent).not.toEqual([]);
  expect(lines.map((line) => JSON.parse(line))).toEqual([expect.objectContaining({ msg: "traces cannot be sent" })]);
});

test("OTEL_LOG_LEVEL has the SDK tell all that it does", async () => {
  const { lines } = await sentWith({ OTEL_LOG_LEVEL: "debug" });
  expect(lines.join("\n")).toContain("OTLP");
});
