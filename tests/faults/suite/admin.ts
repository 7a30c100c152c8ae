/**
 * The suite's own way to the nodes: from an address that no nemesis cuts off, past everything that is tested.
 */
import { createConnection, type Socket } from "node:net";
import { AbstractConnector, Redis } from "ioredis";
import { isInside } from "./namespace.ts";

/** Nobody else connects from here. */
const OWN_ADDRESS = "127.0.9.1";
const TIMEOUT_MS = 2_000;

interface Place {
  readonly host: string;
  readonly port: number;
}

class OwnConnector extends AbstractConnector {
  readonly #place: Place;

  constructor(place: Place) {
    super(0);
    this.#place = place;
  }

  override async connect(): Promise<Socket> {
    const { host, port } = this.#place;
    return createConnection({ host, port, ...(isInside() && { localAddress: OWN_ADDRESS }) });
  }
}

/** A connection that fails soon and tries nothing twice; to be closed by whoever opened it. */
export function openAdmin({ host, port }: Place): Redis {
  const redis = new Redis({
    host,
    port,
    Connector: OwnConnector as never,
    enableReadyCheck: false,
    disableClientInfo: true,
    protocol: 2,
    connectTimeout: TIMEOUT_MS,
    commandTimeout: TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  redis.on("error", () => undefined);
  return redis;
}

/** One command, on a connection of its own. Rejects when there is no answer in time. */
export async function tell(place: Place, name: string, ...args: (string | number)[]): Promise<unknown> {
  const redis = openAdmin(place);
  try {
    return await redis.call(name, ...args);
  } finally {
    redis.disconnect();
  }
}
