/** A client of the streams of changes: it parses server-sent events as browsers do, and repeats nothing by itself. */
import { type IncomingHttpHeaders, request } from "node:http";
import { cleanUpLater } from "./running.ts";
import { WAIT_MAX_MS, waitFor } from "./wait-for.ts";

export interface StreamEvent {
  readonly event: string;
  /** What resumes right behind it. */
  readonly id: string;
  readonly data: {
    readonly key: string;
    readonly revision: string;
    readonly operation: string;
    readonly [member: string]: unknown;
  };
}

export interface EventStream {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Of an answer that is no stream, once it has ended. */
  readonly text: string;
  /** In the order they came. */
  readonly events: readonly StreamEvent[];
  /** Comments, heartbeats among them. */
  readonly comments: readonly string[];
  /** The last id that came, with an event or without one; empty before the first. */
  readonly lastId: string;
  readonly ended: boolean;
  /** Waits until so many events have come, and returns them all. */
  atLeast(count: number, timeoutMs?: number): Promise<readonly StreamEvent[]>;
  /** Waits until the server has ended it. */
  end(timeoutMs?: number): Promise<void>;
  /** Stops taking what comes. */
  pause(): void;
  resume(): void;
  /** Hangs up. */
  close(): void;
}

export interface StreamOptions {
  readonly lastEventId?: string;
  readonly headers?: Record<string, string>;
}

/**
 * Opens `GET /v1/watch/<about>`; resolves when the first words have come, or the whole answer where it is no stream.
 * @param about namespace and query
 */
export function openEventStream(url: string, about: string, options: StreamOptions = {}): Promise<EventStream> {
  const { lastEventId, headers = {} } = options;
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${url}/v1/watch/${about}`,
      { agent: false, headers: { ...headers, ...(lastEventId !== undefined && { "last-event-id": lastEventId }) } },
      (incoming) => {
        const parser = new EventParser();
        let text = "";
        let ended = false;
        const isStream = incoming.headers["content-type"] === "text/event-stream";
        const stream: EventStream = {
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          events: parser.events,
          comments: parser.comments,
          get text() {
            return text;
          },
          get lastId() {
            return parser.lastId;
          },
          get ended() {
            return ended;
          },
          atLeast: (count, timeoutMs = WAIT_MAX_MS) =>
            waitFor(() => parser.events.length >= count && parser.events, {
              timeoutMs,
              what: `${count} events, of ${about}; ${parser.events.length} came`,
            }),
          end: async (timeoutMs = WAIT_MAX_MS) => {
            await waitFor(() => ended, { timeoutMs, what: `the end of ${about}` });
          },
          pause: () => incoming.pause(),
          resume: () => incoming.resume(),
          close: () => outgoing.destroy(),
        };
        incoming.setEncoding("utf8");
        incoming.on("data", (chunk: string) => {
          if (!isStream) text += chunk;
          else parser.add(chunk);
          if (parser.lastId !== "") resolve(stream);
        });
        incoming.on("error", () => undefined);
        incoming.once("close", () => {
          ended = true;
          resolve(stream);
        });
      },
    );
    cleanUpLater(() => {
      outgoing.destroy();
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}

/** A stream of an API that has just started: it is ready when one of the two Redises is, and says 503 until both are. */
export function openFirstStream(url: string, about: string): Promise<EventStream> {
  return waitFor(async () => {
    const stream = await openEventStream(url, about);
    return stream.status === 200 && stream;
  });
}

/** As the WHATWG's HTML standard says it, 9.2.6. */
class EventParser {
  readonly events: StreamEvent[] = [];
  readonly comments: string[] = [];
  lastId = "";
  #rest = "";
  #event = "";
  #data = "";
  #id = "";

  add(chunk: string): void {
    const lines = (this.#rest + chunk).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#line(line);
  }

  #line(line: string): void {
    const colon = line.indexOf(": ");
    const [field, value] = [line.slice(0, colon), line.slice(colon + 2)];
    if (line === "") this.#dispatch();
    else if (colon === 0) this.comments.push(value);
    else if (field === "event") this.#event = value;
    else if (field === "data") this.#data += value;
    else if (field === "id") this.#id = value;
  }

  #dispatch(): void {
    this.lastId = this.#id;
    if (this.#data !== "") {
      const data = JSON.parse(this.#data) as StreamEvent["data"];
      this.events.push({ event: this.#event, id: this.#id, data });
    }
    this.#event = "";
    this.#data = "";
  }
}
