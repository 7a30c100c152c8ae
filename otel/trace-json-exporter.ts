/** The SDK's export of spans by OTLP over HTTP, with its settings, retries and bounds; only their JSON is written by ourselves. */
import { OTLPExporterBase } from "@opentelemetry/otlp-exporter-base";
import { convertLegacyHttpOptions, createOtlpHttpExportDelegate } from "@opentelemetry/otlp-exporter-base/node-http";
import { TraceExporterMetricsHelper } from "@opentelemetry/otlp-transformer";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-node";
import { TraceJson } from "./trace-json.ts";

/** Put together as OTLPTraceExporter of @opentelemetry/exporter-trace-otlp-http is. */
export class TraceJsonExporter extends OTLPExporterBase<ReadableSpan[]> {
  constructor() {
    const options = convertLegacyHttpOptions({}, "TRACES", "v1/traces", { "Content-Type": "application/json" });
    const kind = "otlp_http_span_exporter";
    super(createOtlpHttpExportDelegate(options, new TraceJson(), kind, TraceExporterMetricsHelper, undefined));
  }
}
