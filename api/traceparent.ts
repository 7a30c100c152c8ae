/**
 * The W3C trace context that a request brings (https://www.w3.org/TR/trace-context/). It travels with the command.
 */
import type { Incoming } from "./exchange.ts";

const TRACEPARENT = /^[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** @returns undefined when there is none, or none that is valid */
export function traceparentOf(incoming: Incoming): string | undefined {
  const header = incoming.header("traceparent");
  return header !== null && TRACEPARENT.test(header) && !header.startsWith("ff") ? header : undefined;
}
