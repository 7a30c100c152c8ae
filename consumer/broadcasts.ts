/**
 * Hears what the log broadcasts: appends, and changes among the consumers. Only ever a hint: whoever is woken looks for
 * himself, and looks now and then without being woken.
 */
import { COORDINATION, partitionKeys } from "../core/keys.ts";
import type { Link } from "../core/redis/link.ts";
import { SUBSCRIBER_PING_MS } from "../core/redis/options.ts";
import type { Service } from "../core/service.ts";

export interface BroadcastListeners {
  readonly appended: (partition: number) => void;
  readonly consumersChanged: () => void;
}

export class Broadcasts implements Service {
  readonly #link: Link;
  readonly #partitions: number;
  readonly #listeners: BroadcastListeners;
  #timer: NodeJS.Timeout | null = null;

  constructor(link: Link, partitions: number, listeners: BroadcastListeners) {
    this.#link = link;
    this.#partitions = partitions;
    this.#listeners = listeners;
  }

  async start(): Promise<void> {
    const { client } = this.#link;
    const partitionOfChannel = new Map(partitionKeys(this.#partitions).map((keys) => [keys.appended, keys.partition]));
    client.on("message", (channel: string) => {
      const partition = partitionOfChannel.get(channel);
      if (partition === undefined) this.#listeners.consumersChanged();
      else this.#listeners.appended(partition);
    });
    // Waits in the client's queue until there is a connection; repeated by the client at each new one.
    client.subscribe(COORDINATION.changed, ...partitionOfChannel.keys()).catch(() => undefined);
    this.#timer = setInterval(() => {
      if (this.#link.ready) client.ping().catch(() => undefined);
    }, SUBSCRIBER_PING_MS);
  }

  async stop(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    this.#link.close();
  }
}
