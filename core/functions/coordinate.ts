/**
 * Typed wrapper of the log's function coordinate. See coordinate.lua.
 */
import { COORDINATION } from "../keys.ts";
import type { Call } from "../redis/link.ts";
import type { Library } from "./library.ts";

export interface CoordinateRequest {
  readonly consumer: string;
  /** How long the session lasts without another call; 0 leaves and gives everything up. */
  readonly leaseMs: number;
  readonly release: readonly number[];
  readonly claim: readonly number[];
  /** State of partitions this consumer owns, as JSON text, by partition. */
  readonly states: ReadonlyMap<number, string>;
}

export interface Coordination {
  /** Consumers whose session has not run out, oldest lease first. */
  readonly consumers: readonly string[];
  /** Owner of each owned partition. */
  readonly owners: ReadonlyMap<number, string>;
}

export function coordinateCall(library: Library, request: CoordinateRequest): Call {
  return {
    name: "FCALL",
    args: [
      library.call("coordinate"),
      3,
      COORDINATION.sessions,
      COORDINATION.owners,
      COORDINATION.states,
      request.consumer,
      request.leaseMs,
      COORDINATION.changed,
      request.release.length,
      request.claim.length,
      request.states.size,
      ...request.release,
      ...request.claim,
      ...[...request.states].flat(),
    ],
  };
}

export function parseCoordination(reply: unknown): Coordination {
  const [consumers, pairs] = reply as [Buffer[], Buffer[]];
  return { consumers: consumers.map(String), owners: byPartition(pairs) };
}

export interface Ownership {
  /** Living owner of each owned partition. */
  readonly owners: ReadonlyMap<number, string>;
  /** What each owner last said of its partition (JSON). */
  readonly states: ReadonlyMap<number, string>;
}

export function ownershipCall(library: Library): Call {
  const { sessions, owners, states } = COORDINATION;
  return { name: "FCALL_RO", args: [library.call("ownership"), 3, sessions, owners, states] };
}

export function parseOwnership(reply: unknown): Ownership {
  const [owners, states] = reply as [Buffer[], Buffer[]];
  return { owners: byPartition(owners), states: byPartition(states) };
}

/** @param pairs partition and text in turn, as HGETALL gives them */
function byPartition(pairs: readonly Buffer[]): ReadonlyMap<number, string> {
  const owners = new Map<number, string>();
  for (let i = 0; i + 1 < pairs.length; i += 2) owners.set(Number(String(pairs[i])), String(pairs[i + 1]));
  return owners;
}
