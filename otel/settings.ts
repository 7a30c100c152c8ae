/**
 * How the standard settings of OpenTelemetry stand where nobody has set them. Pure.
 */
import { LOG_LEVELS, type LogLevel } from "../core/logger.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export const DEFAULTS: Readonly<Record<string, string>> = {
  /** A trace that has begun elsewhere is recorded where it was; of those that begin here, one in twenty. */
  OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
  OTEL_TRACES_SAMPLER_ARG: "0.05",
  /** One large batch of writes, traced, fits in. */
  OTEL_BSP_MAX_QUEUE_SIZE: "8192",
  OTEL_BSP_SCHEDULE_DELAY: "1000",
  /** A collector that is away holds up the end of a process for no longer. */
  OTEL_EXPORTER_OTLP_TIMEOUT: "3000",
};

/** Is there somebody to send traces to? */
export function exportsTraces(environment: Environment): boolean {
  if (environment.OTEL_TRACES_EXPORTER === "none") return false;
  return Boolean(environment.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || environment.OTEL_EXPORTER_OTLP_ENDPOINT);
}

/**
 * Which share of the traces that begin here is recorded, 0 to 1, where a sampler of the kind `parentbased_…` is set.
 * @returns null where it is another kind, or cannot be read: the SDK sees to that
 */
export function readShare({
  OTEL_TRACES_SAMPLER: sampler,
  OTEL_TRACES_SAMPLER_ARG: ratio,
}: Environment): number | null {
  switch (sampler) {
    case "parentbased_always_on":
      return 1;
    case "parentbased_always_off":
      return 0;
    case "parentbased_traceidratio": {
      const share = ratio?.trim() ? Number(ratio) : Number.NaN;
      return share >= 0 && share <= 1 ? share : null;
    }
    default:
      return null;
  }
}

/** The process itself tells what is wrong with it. */
export function readLogLevel({ MILLRACE_LOG_LEVEL: level }: Environment): LogLevel {
  return LOG_LEVELS.find((known) => known === level) ?? "info";
}
