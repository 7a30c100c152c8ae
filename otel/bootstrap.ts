/**
 * Starts tracing before anything else: `node --import ./dist/otel/bootstrap.js dist/api/main.js` in an image. Without it,
 * nothing is traced but what clients bring; with it every request and every command has a trace id, and those that are
 * sampled are sent to where OTEL_EXPORTER_OTLP_ENDPOINT says (or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT), by OTLP over HTTP. Where
 * neither is set nothing is recorded. Settings are the standard ones
 * (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/); only what is here differs.
 *
 * Spans that are left are sent when the process has nothing more to do. What a kill -9 takes with it is at most
 * OTEL_BSP_SCHEDULE_DELAY of spans.
 */
import { basename, dirname } from "node:path";
import { DiagConsoleLogger, DiagLogLevel, diag, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import {
  defaultResource,
  detectResources,
  envDetector,
  hostDetector,
  serviceInstanceIdDetector,
} from "@opentelemetry/resources";
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  NodeTracerProvider,
} from "@opentelemetry/sdk-trace-node";
import { createLogger } from "../core/logger.ts";
import { HeadSampling } from "./head-sampling.ts";
import { NoContextManager } from "./no-context-manager.ts";
import { DEFAULTS, exportsTraces, readLogLevel, readShare } from "./settings.ts";
import { tellOfFaults } from "./tell-of-faults.ts";

/** `dist/api/main.js` is the api. */
const service = basename(dirname(process.argv[1] ?? ""));

for (const [name, value] of Object.entries(DEFAULTS)) process.env[name] ??= value;
process.env.OTEL_SERVICE_NAME ??= `millrace-${service}`;

// Who asks for the SDK's own words gets them as they are.
const asked = DiagLogLevel[process.env.OTEL_LOG_LEVEL?.toUpperCase() as keyof typeof DiagLogLevel];
if (asked === undefined) {
  diag.setLogger(tellOfFaults(createLogger(service, readLogLevel(process.env))), DiagLogLevel.ERROR);
} else {
  diag.setLogger(new DiagConsoleLogger(), asked);
}

if (process.env.OTEL_SDK_DISABLED?.toLowerCase() !== "true") {
  const exporting = exportsTraces(process.env);
  const share = exporting ? readShare(process.env) : 0;
  // Not what the process was called with: that may be anything.
  const detectors = [envDetector, hostDetector, serviceInstanceIdDetector];
  const provider = new NodeTracerProvider({
    resource: defaultResource().merge(detectResources({ detectors })),
    ...(share !== null && { sampler: exporting ? new AlwaysOnSampler() : new AlwaysOffSampler() }),
    ...(exporting && { spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())] }),
  });
  provider.register({ contextManager: new NoContextManager() });
  if (share !== null) {
    // In the place of the one that it has just registered.
    trace.disable();
    trace.setGlobalTracerProvider(new HeadSampling(provider, share));
  }

  process.once("beforeExit", () => {
    provider.shutdown().catch((error: unknown) => diag.error("shutdown", error));
  });
}
