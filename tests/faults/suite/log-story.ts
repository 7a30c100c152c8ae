/** Entries of a log that nobody ran, for tests of what judges one. */
import { traceparentOf } from "./history.ts";
import type { RawEntry } from "./model.ts";

export const PUT = { o: "put", c: "text/plain" };

/** @param operation number of the client's operation that it came from */
export const entryOf = (
  id: string,
  ordinal: number,
  operation: number,
  header: Record<string, unknown>,
  body = "",
): RawEntry => {
  const command = { p: "api.0", s: ordinal, t: 1, n: "n", tp: traceparentOf(operation), ...header };
  return { id, fields: ["v1", `${ordinal} ${JSON.stringify(command)}`, "b", body].map((text) => Buffer.from(text)) };
};
