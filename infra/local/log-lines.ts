/**
 * Log lines of api and consumers as a person reads them: pino-pretty makes them, here alone. In production they stay JSON,
 * and pino-pretty is not installed.
 */
import pretty from "pino-pretty";

export type ReadLine = (name: string, line: string) => string;

/** @param colors whether who reads it shows them */
export function readableLines(colors: boolean): ReadLine {
  const read = pretty.prettyFactory({
    colorize: colors,
    // The same in every line of a process, so it says nothing beside the name in front.
    ignore: "pid,hostname,service",
    singleLine: true,
    translateTime: "UTC:HH:MM:ss.l",
  });
  // A line that is no JSON, such as the stack of a crash, is given back as it is.
  return (name, line) => `[${name}] ${read(line).trimEnd()}`;
}
