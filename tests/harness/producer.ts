/** A producer of a test: appends straight to a log, and can send again what an api process would. */
import { randomUUID } from "node:crypto";
import type { Command } from "../../core/command.ts";
import type { Appended } from "../../core/functions/append.ts";
import { Log } from "../../core/log.ts";
import { openLink } from "./link.ts";
import { waitFor } from "./wait-for.ts";

export interface Producer {
  readonly name: string;
  readonly log: Log;
  /** Appends increments by one under the sequences from `first` on, as one group; again until the log answers. */
  increments(partition: number, namespace: string, key: string, first: number, count: number): Promise<Appended>;
}

export async function openProducer(server: { readonly url: string }, partitions: number): Promise<Producer> {
  const log = new Log(await openLink(server.url), partitions);
  const name = randomUUID();
  return {
    name,
    log,
    increments: (partition, namespace, key, first, count) => {
      const commands = Array.from({ length: count }, () => incrementOf(namespace, key));
      return waitFor(() => log.append(partition, { producer: name, firstSequence: first, commands }));
    },
  };
}

export function incrementOf(namespace: string, key: string): Command {
  return { namespace, key, operation: { op: "increment", by: "1" }, awaited: false, acceptedMs: Date.now() };
}
