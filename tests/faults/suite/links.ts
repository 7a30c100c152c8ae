/** Sides of a cut, for the nemeses of the network. */
import type { RedisKind } from "../../../infra/local/redis-process.ts";
import { CLIENTS_ADDRESS, type Cluster } from "./cluster.ts";
import { cutBothWays, cutOneWay } from "./namespace.ts";
import type { Strike } from "./nemesis.ts";

interface Place {
  readonly host: string;
}

const hosts = (places: readonly Place[]): string[] => places.map(({ host }) => host);

/** All but these, and but the clients. */
export function othersThan(cluster: Cluster, side: readonly Place[]): string[] {
  return hosts(cluster.addresses()).filter((host) => !hosts(side).includes(host));
}

export async function cut(
  { later, note }: Strike,
  from: readonly Place[] | "clients",
  to: readonly Place[] | "clients",
  ways: "both" | "one" = "both",
): Promise<void> {
  const [source, target] = [from, to].map((side) => (side === "clients" ? [CLIENTS_ADDRESS] : hosts(side)));
  note(`cut ${source?.join(",")} ${ways === "both" ? "<->" : "->"} ${target?.join(",")}`);
  later(await (ways === "both" ? cutBothWays : cutOneWay)(source ?? [], target ?? []));
}

/** The master of a group and, on the other side, its replicas. */
export async function sidesOf(cluster: Cluster, kind: RedisKind) {
  const master = await cluster.master(kind);
  return { master, replicas: cluster.groups.group(kind).nodes.filter((node) => node !== master) };
}
