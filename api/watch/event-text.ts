/**
 * What a stream of changes says, in the format of server-sent events (WHATWG HTML, 9.2). Pure.
 */
import { formatRevision } from "../../core/entry-id.ts";
import { isLive, type StoredValue } from "../../core/stored-value.ts";
import { PROBLEMS } from "../errors.ts";
import { tellMoment } from "../expiry.ts";
import { problemType } from "../problem.ts";
import { base64Of, textOf } from "../value-text.ts";
import type { Change } from "./changes.ts";

/** How long a client may wait before it connects again. */
const RETRY_MS = 1000;

/** The first words: who gets nothing more can resume from there, too. */
export function opening(position: string): string {
  return `: changes follow\nretry: ${RETRY_MS}\nid: ${position}\n\n`;
}

/** A comment, and where the client is: what it watches may be quiet while the log is trimmed behind it. */
export function heartbeat(position: string): string {
  return `: still here\nid: ${position}\n\n`;
}

/**
 * The last words, as the answer 410 would have them. They are no position: a client that connects again gets that answer.
 * @param restart the oldest position to go on from
 */
export function farewell(restart: string): string {
  const { status, title } = PROBLEMS["position-trimmed"];
  const problem = { type: problemType("position-trimmed"), title, status, restart };
  return `event: gone\ndata: ${JSON.stringify(problem)}\n\n`;
}

/**
 * @param value undefined: not asked for; null: the key is at another revision by now
 * @param position of a client that has had this event
 */
export function changeText(
  partition: number,
  change: Change,
  value: StoredValue | null | undefined,
  position: string,
  nowMs: number,
): string {
  const { event, key, id, operation, contentType, replays } = change;
  const told = value !== undefined && event === "put";
  const stored = told && value !== null && isLive(value, nowMs) ? value : null;
  const fields = JSON.stringify({
    key,
    revision: formatRevision(partition, id),
    operation,
    ...(replays !== undefined && { replays: formatRevision(partition, replays) }),
    ...(stored === null && contentType !== undefined && { content_type: contentType }),
    ...(told && (stored === null ? { superseded: true } : describe(stored))),
  });
  // As it came: read and written again, its numbers might be others.
  const data = stored?.metadata === undefined ? fields : `${fields.slice(0, -1)},"metadata":${stored.metadata}}`;
  return `event: ${event}\nid: ${position}\ndata: ${data}\n\n`;
}

/** In the words of a listing. */
function describe({ contentType, expiresMs, value }: StoredValue): Record<string, unknown> {
  const text = textOf(value);
  return {
    ...(expiresMs !== undefined && { expires_at: tellMoment(expiresMs) }),
    content_type: contentType,
    ...(text === null ? { value: base64Of(value), encoding: "base64" } : { value: text, encoding: "text" }),
  };
}
