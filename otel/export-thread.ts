/**
 * The program of the thread that sends spans: the SDK's export by OTLP over HTTP, with its settings, repeats and bounds, of
 * what is written already. See thread-exporter.ts.
 */
import { format } from "node:util";
import { parentPort } from "node:worker_threads";
import { type DiagLogger, DiagLogLevel, diag } from "@opentelemetry/api";
import { convertLegacyHttpOptions, createOtlpHttpExportDelegate } from "@opentelemetry/otlp-exporter-base/node-http";
import { JsonTraceSerializer } from "@opentelemetry/otlp-transformer";
import { DIAG_LEVELS, type Fault, type Told, type ToSend } from "./export-messages.ts";

const port = parentPort;
if (port === null) throw new Error("this is the program of a thread");
const tell = (told: Told) => port.postMessage(told);

// What is told, and how often, is decided where the log is.
const loggers = DIAG_LEVELS.map((level) => [level, (...about: unknown[]) => tell({ level, text: format(...about) })]);
diag.setLogger(Object.fromEntries(loggers) as DiagLogger, DiagLogLevel.ALL);

const options = convertLegacyHttpOptions({}, "TRACES", "v1/traces", { "Content-Type": "application/json" });
const written = {
  serializeRequest: (body: Uint8Array) => body,
  deserializeResponse: (answer: Uint8Array) => JsonTraceSerializer.deserializeResponse(answer),
};
/** For metrics that nobody reads. */
const items = { name: "span", countItems: () => 1 } as const;
const delegate = createOtlpHttpExportDelegate(options, written, "otlp_http_span_exporter", items, undefined);

port.on("message", ({ id, body }: ToSend) => {
  delegate.export(body, ({ error }) => tell({ id, fault: error ? faultOf(error) : null }));
});

function faultOf(error: Error & { readonly code?: unknown }): Fault {
  const { message, code } = error;
  return { message, ...((typeof code === "string" || typeof code === "number") && { code }) };
}
