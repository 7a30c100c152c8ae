/** How the partitions stand, as `GET /v1/partitions` tells it. */
import { httpClient } from "./http.ts";
import { type WaitOptions, waitFor } from "./wait-for.ts";

export interface PartitionView {
  readonly partition: number;
  readonly watermark: string;
  readonly ordinal: number;
  readonly accepted: number;
  readonly backlog: number;
  readonly owner: string | null;
  readonly state: string;
  readonly reason: string;
}

export interface Partitions {
  view(): Promise<PartitionView[]>;
  /** How many each consumer owns, by its name. */
  owned(): Promise<Map<string, number>>;
  /** Waits until everything accepted so far and since is applied. */
  drained(options?: WaitOptions): Promise<PartitionView[]>;
  /** Waits until these consumers, and no others, own all partitions. */
  ownedBy(consumers: readonly string[], options?: WaitOptions): Promise<PartitionView[]>;
  /** Waits until a partition is in this state, and returns how it then stands. */
  inState(partition: number, state: string, options?: WaitOptions): Promise<PartitionView>;
}

export function watchPartitions(url: string): Partitions {
  const client = httpClient(url, { sockets: 1 });
  const view = async (): Promise<PartitionView[]> => {
    const answer = await client.send("GET", "/v1/partitions");
    if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
    return JSON.parse(answer.text) as PartitionView[];
  };
  /** The last view is part of a failure's message. */
  const until = (what: string, good: (all: readonly PartitionView[]) => boolean, options?: WaitOptions) =>
    waitFor(
      async () => {
        const all = await view();
        if (!good(all)) throw new Error(JSON.stringify(all));
        return all;
      },
      { what, ...options },
    );
  return {
    view,
    owned: async () => {
      const owned = new Map<string, number>();
      for (const { owner } of await view()) if (owner !== null) owned.set(owner, (owned.get(owner) ?? 0) + 1);
      return owned;
    },
    drained: (options) => until("an empty backlog", (all) => all.every(({ backlog }) => backlog === 0), options),
    ownedBy: (consumers, options) =>
      until(
        `all partitions owned by ${consumers.join(" and ")}`,
        (all) =>
          all.every(({ owner }) => owner !== null && consumers.includes(owner)) &&
          consumers.every((consumer) => all.some(({ owner }) => owner === consumer)),
        options,
      ),
    inState: async (partition, state, options) => {
      const all = await until(
        `partition ${partition} in state ${state}`,
        (each) => each.find((one) => one.partition === partition)?.state === state,
        options,
      );
      return all.find((one) => one.partition === partition) as PartitionView;
    },
  };
}
