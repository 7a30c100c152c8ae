/**
 * Starts tracing before anything else: `node --import ./dist/otel/bootstrap.js dist/api/main.js`. Without it, nothing is
 * traced but what clients bring; with it every request and every command has a trace id, and those that are sampled are
 * sent to where OTEL_EXPORTER_OTLP_ENDPOINT says (or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT), by OTLP over HTTP. Where neither is
 * set nothing is recorded. Settings are the standard ones
 * (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/); only what is here differs.
 *
 * Spans that are left are sent when the process has nothing more to do. What a kill -9 takes with it is at most
 * OTEL_BSP_SCHEDULE_DELAY of spans.
 */
import { basename, dirname } from "node:path";
import { DiagLogLevel, diag } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { NodeSDK, resources, tracing } from "@opentelemetry/sdk-node";
import { createLogger } from "../core/logger.ts";
import { NoContextManager } from "./no-context-manager.ts";
import { DEFAULTS, exportsTraces, readLogLevel } from "./settings.ts";
import { tellOfFaults } from "./tell-of-faults.ts";

/** `dist/api/main.js` is the api. */
const service = basename(dirname(process.argv[1] ?? ""));

for (const [name, value] of Object.entries(DEFAULTS)) process.env[name] ??= value;
process.env.OTEL_SERVICE_NAME ??= `millrace-${service}`;

diag.setLogger(tellOfFaults(createLogger(service, readLogLevel(process.env))), {
  logLevel: DiagLogLevel.ERROR,
  suppressOverrideMessage: true,
});

const exporting = exportsTraces(process.env);
const sdk = new NodeSDK({
  // Not what the process was called with: that may be anything.
  resourceDetectors: [resources.envDetector, resources.hostDetector, resources.serviceInstanceIdDetector],
  ...(exporting
    ? { spanProcessors: [new tracing.BatchSpanProcessor(new OTLPTraceExporter())] }
    : // One that does nothing: without any the SDK would trace nothing at all, and there would be no trace ids.
      { spanProcessors: [new tracing.NoopSpanProcessor()], sampler: new tracing.AlwaysOffSampler() }),
  contextManager: new NoContextManager(),
  // Metrics are read from the ops port, logs from standard output.
  metricReaders: [],
  logRecordProcessors: [],
});
sdk.start();

process.once("beforeExit", () => {
  sdk.shutdown().catch((error: unknown) => diag.error("shutdown", error));
});
