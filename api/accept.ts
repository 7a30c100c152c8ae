/**
 * Which of two representations a client would rather have (RFC 9110, 12.5.1). Pure.
 */
import { JSON_TYPE } from "./media-type.ts";

/** Does an Accept header ask for a page rather than for a document? Without a preference it is a document. */
export function prefersPage(header: string | null): boolean {
  if (header === null) return false;
  return weightOf(header, "text/html") > weightOf(header, JSON_TYPE);
}

/** The weight of a type, by the most specific range that takes it in; 0 when none does. */
function weightOf(header: string, type: string): number {
  const ranges = ["*/*", `${type.slice(0, type.indexOf("/"))}/*`, type];
  let weight = 0;
  let best = -1;
  for (const part of header.split(",")) {
    const [range = "", ...parameters] = part.split(";").map((piece) => piece.trim().toLowerCase());
    const specific = ranges.indexOf(range);
    if (specific <= best) continue;
    const given = parameters.find((parameter) => parameter.startsWith("q="));
    best = specific;
    weight =
      given === undefined ? 1 : /^q=(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(given) ? Number(given.slice(2)) : 0;
  }
  return weight;
}
