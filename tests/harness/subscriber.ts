/** Somebody who watches, is cut off in the middle of it, and goes on from where he was, over and over. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Random } from "../faults/suite/random.ts";
import { openEventStream, type StreamEvent } from "./event-stream.ts";
import { waitFor } from "./wait-for.ts";

export interface Subscriber {
  readonly about: string;
  /** All he was ever told, in the order it came. */
  readonly events: readonly StreamEvent[];
  /** How often he has gone on from a position. */
  readonly resumes: number;
  /** Answers that were no stream, and last events of streams, that say that something is gone. */
  readonly gone: readonly string[];
  /** Resolves when he has been told where he is for the first time. */
  readonly started: Promise<void>;
  stop(): Promise<void>;
}

export interface SubscriberOptions {
  /** APIs to choose from, at each connection anew. */
  readonly urls: () => readonly string[];
  /** Namespace and query. */
  readonly about: string;
  readonly random: Random;
  /** He hangs up after so many events at most, or so much time. */
  readonly eventsMax: number;
  readonly stayMaxMs: number;
}

const RETRY_MS = 100;

export function subscribe({ urls, about, random, eventsMax, stayMaxMs }: SubscriberOptions): Subscriber {
  const events: StreamEvent[] = [];
  const gone: string[] = [];
  let resumes = 0;
  let position = "";
  let stopping = false;

  const stay = async (): Promise<void> => {
    const stream = await openEventStream(
      random.pick(urls()),
      about,
      position === "" ? {} : { lastEventId: position },
    ).catch(() => null);
    if (stream === null || stream.status !== 200) {
      if (stream?.status === 410) gone.push(stream.text);
      await sleep(RETRY_MS);
      return;
    }
    if (position !== "") resumes += 1;
    const enough = random.integer(1, eventsMax);
    const stayMs = random.integer(1, stayMaxMs);
    const untilMs = performance.now() + stayMs;
    while (!stopping && !stream.ended && stream.events.length < enough && performance.now() < untilMs) await sleep(5);
    // As if he had been cut off somewhere in the last of what came: it is told again, from the id of the event before.
    const count = stream.ended || random.chance(0.3) ? stream.events.length : random.integer(0, stream.events.length);
    const taken = stream.events.slice(0, count);
    position = count === stream.events.length ? stream.lastId : (taken.at(-1)?.id ?? position);
    events.push(...taken.filter(({ event }) => event !== "gone"));
    gone.push(...taken.flatMap(({ event, data }) => (event === "gone" ? [JSON.stringify(data)] : [])));
    stream.close();
  };
  const done = (async () => {
    while (!stopping) await stay();
  })();
  return {
    about,
    events,
    gone,
    get resumes() {
      return resumes;
    },
    started: waitFor(() => position !== "", { what: `the first words of ${about}` }).then(() => undefined),
    stop: async () => {
      stopping = true;
      await done;
    },
  };
}
