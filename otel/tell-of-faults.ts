/**
 * Tells that traces do not get where they should, in our own log, and not more often than somebody wants to read it.
 */
import { DiagConsoleLogger, type DiagLogger, DiagLogLevel, diag } from "@opentelemetry/api";
import type { Logger } from "pino";

const TELL_AGAIN_MS = 60_000;
/** What a fault says of itself: enough to know it by. */
const FAULT_MAX_CHARS = 200;

/** @param level OTEL_LOG_LEVEL: who asks for OpenTelemetry's own words gets them as they are */
export function setDiagLogger(logger: Logger, level: string | undefined): void {
  const asked = DiagLogLevel[level?.toUpperCase() as keyof typeof DiagLogLevel];
  if (asked === undefined) {
    diag.setLogger(tellOfFaults(logger), DiagLogLevel.ERROR);
  } else {
    diag.setLogger(new DiagConsoleLogger(), asked);
  }
}

/** @param now milliseconds, from anywhere */
export function tellOfFaults(logger: Logger, now = () => performance.now()): DiagLogger {
  let toldMs = Number.NEGATIVE_INFINITY;
  let untold = 0;
  const tell = (...about: unknown[]): void => {
    if (now() - toldMs < TELL_AGAIN_MS) {
      untold += 1;
      return;
    }
    toldMs = now();
    const fault = about.map(textOf).join(" ").slice(0, FAULT_MAX_CHARS);
    logger.warn({ fault, ...(untold > 0 && { untold }) }, "traces cannot be sent");
    untold = 0;
  };
  const nothing = (): void => undefined;
  return { error: tell, warn: nothing, info: nothing, debug: nothing, verbose: nothing };
}

/** The SDK gives errors as text that holds JSON, with a stack. */
function textOf(about: unknown): string {
  if (about instanceof Error) return about.message;
  try {
    const { message, code } = JSON.parse(String(about)) as { message?: unknown; code?: unknown };
    return [message, code].filter((part) => typeof part === "string" && part !== "").join(" ");
  } catch {
    return String(about);
  }
}
