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
import { basename, dirname, extname } from "node:path";
import { diag, trace } from "@opentelemetry/api";
import {
  defaultResource,
  detectResources,
  envDetector,
  hostDetector,
  serviceInstanceIdDetector,
} from "@opentelemetry/resources";
import { BatchSpanProcessor, NoopSpanProcessor, type SpanProcessor } from "@opentelemetry/sdk-trace-node";
import { createLogger } from "../core/logger.ts";
import { HeadSampling } from "./head-sampling.ts";
import { DEFAULTS, exportsTraces, readLogLevel, readSampling, type Sampling } from "./settings.ts";
import { setDiagLogger } from "./tell-of-faults.ts";
import { ThreadExporter } from "./thread-exporter.ts";

/** Not even what came recorded: nobody would see it. */
const NOTHING: Sampling = { share: 0, parentBased: false };

/** Beside this file: written in TypeScript where sources are run, in JavaScript where they were built. */
const exportProgram = new URL(`./export-thread${extname(import.meta.url)}`, import.meta.url);

/** `dist/api/main.js` is the api. */
const service = basename(dirname(process.argv[1] ?? ""));

for (const [name, value] of Object.entries(DEFAULTS)) process.env[name] ||= value;
process.env.OTEL_SERVICE_NAME ||= `millrace-${service}`;
const logger = createLogger(service, readLogLevel(process.env));
setDiagLogger(logger, process.env.OTEL_LOG_LEVEL);

if (process.env.OTEL_SDK_DISABLED?.toLowerCase() !== "true") {
  const exporting = exportsTraces(process.env);
  const tellInvalid = (name: string) => logger.warn(`${name} cannot be read: it is as if it were not set`);
  const sampling = exporting ? readSampling(process.env, tellInvalid) : NOTHING;
  const processor: SpanProcessor = exporting
    ? new BatchSpanProcessor(new ThreadExporter(exportProgram))
    : new NoopSpanProcessor();
  // Not what the process was called with: that may be anything.
  const detectors = [envDetector, hostDetector, serviceInstanceIdDetector];
  const resource = defaultResource().merge(detectResources({ detectors }));
  trace.setGlobalTracerProvider(new HeadSampling(sampling, { resource, take: (span) => processor.onEnd(span) }));

  process.once("beforeExit", () => {
    processor.shutdown().catch((error: unknown) => diag.error("shutdown", error));
  });
}
