/**
 * A connection that hears broadcasts. It comes back by itself and subscribes again; what was said meanwhile is lost, so
 * a broadcast is only ever a hint.
 */
import type { RedisGroup } from "./group.ts";
import { Link } from "./link.ts";
import { SUBSCRIBER_PING_MS } from "./options.ts";

export class SubscriberLink {
  readonly #link: Link;
  readonly #channels: readonly string[];
  #pinging: NodeJS.Timeout | null = null;

  constructor(group: RedisGroup, name: string, channels: readonly string[]) {
    this.#link = new Link(group, "subscriber", name);
    this.#channels = channels;
  }

  /** @param onReady called at each new connection: something may have been missed */
  open(onMessage: (channel: string, message: string) => void, onReady: () => void = () => undefined): void {
    const { client } = this.#link;
    client.on("message", onMessage);
    // Faults are told by the connection for commands to the same Redis.
    this.#link.open(onReady, () => undefined);
    // Waits in the client's queue until there is a connection.
    client.subscribe(...this.#channels).catch(() => undefined);
    // A frozen peer is noticed only while a command is outstanding.
    this.#pinging = setInterval(() => {
      if (this.#link.ready) client.ping().catch(() => undefined);
    }, SUBSCRIBER_PING_MS);
  }

  close(): void {
    if (this.#pinging) clearInterval(this.#pinging);
    this.#link.close();
  }
}
