/**
 * JSON log lines on standard output. Values, keys, tokens and URLs with passwords are never given to it; should one be, in
 * the text of an error of somebody else's, what can be told by its form is masked on its way out.
 */
import { type Logger, pino, stdTimeFunctions } from "pino";

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export function createLogger(service: string, level: LogLevel): Logger {
  return pino({
    level,
    base: { service, pid: process.pid },
    timestamp: stdTimeFunctions.isoTime,
    hooks: { streamWrite: maskSecrets },
    formatters: { level: (label) => ({ level: label }) },
  });
}

/** What stands between `://` and `@` of a URL, and behind `Bearer`. */
const URL_ACCESS = /(:\/\/)[^\s"@/]+@/g;
const BEARER = /\b(bearer\s+)[^\s",\\]+/gi;

/** @param line a whole line of the log */
export function maskSecrets(line: string): string {
  return line.replaceAll(URL_ACCESS, "$1***@").replaceAll(BEARER, "$1***");
}
