/**
 * How the standard settings of OpenTelemetry stand where nobody has set them. Pure.
 */
import { LOG_LEVELS, type LogLevel } from "../core/logger.ts";

type Environment = Readonly<Record<string, string | undefined>>;

export const DEFAULTS = {
  /** A trace that has begun elsewhere is recorded where it was; of those that begin here, one in twenty. */
  OTEL_TRACES_SAMPLER: "parentbased_traceidratio",
  OTEL_TRACES_SAMPLER_ARG: "0.05",
  /** One large batch of writes, traced, fits in. */
  OTEL_BSP_MAX_QUEUE_SIZE: "8192",
  OTEL_BSP_SCHEDULE_DELAY: "1000",
  /** A collector that is away holds up the end of a process for no longer. */
  OTEL_EXPORTER_OTLP_TIMEOUT: "3000",
} as const;

/** Is there somebody to send traces to? */
export function exportsTraces(environment: Environment): boolean {
  if (environment.OTEL_TRACES_EXPORTER === "none") return false;
  return Boolean(environment.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT || environment.OTEL_EXPORTER_OTLP_ENDPOINT);
}

/** Which traces are recorded. */
export interface Sampling {
  /** Of the traces that begin here, 0 to 1. */
  readonly share: number;
  /** A trace that has begun elsewhere is recorded where it was; false: as if it had begun here. */
  readonly parentBased: boolean;
}

const PARENT_BASED = "parentbased_";

/** @param tellInvalid is told of a variable that cannot be read, and is as if it had not been set */
export function readSampling(environment: Environment, tellInvalid: (name: string) => void): Sampling {
  const sampler = environment.OTEL_TRACES_SAMPLER || DEFAULTS.OTEL_TRACES_SAMPLER;
  const ratio = environment.OTEL_TRACES_SAMPLER_ARG || DEFAULTS.OTEL_TRACES_SAMPLER_ARG;
  const parentBased = sampler.startsWith(PARENT_BASED);
  switch (parentBased ? sampler.slice(PARENT_BASED.length) : sampler) {
    case "always_on":
      return { share: 1, parentBased };
    case "always_off":
      return { share: 0, parentBased };
    case "traceidratio": {
      const share = ratio.trim() ? Number(ratio) : Number.NaN;
      if (share >= 0 && share <= 1) return { share, parentBased };
      tellInvalid("OTEL_TRACES_SAMPLER_ARG");
      return readSampling({ OTEL_TRACES_SAMPLER: sampler }, tellInvalid);
    }
    default:
      tellInvalid("OTEL_TRACES_SAMPLER");
      return readSampling({ OTEL_TRACES_SAMPLER_ARG: ratio }, tellInvalid);
  }
}

/** The process itself tells what is wrong with it. */
export function readLogLevel({ MILLRACE_LOG_LEVEL: level }: Environment): LogLevel {
  return LOG_LEVELS.find((known) => known === level) ?? "info";
}
