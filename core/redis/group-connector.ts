/**
 * Makes the connections of a client to a Redis group under Sentinel: to the master that a majority of the Sentinels
 * names, or to a replica in sync, and away from a node that is no longer that.
 *
 * The client's own resolver believes the first Sentinel that answers, waits for a frozen one, and never leaves a deposed
 * master that keeps the connection open.
 */
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { AbstractConnector } from "ioredis";
import type { Role, Trust } from "./options.ts";
import { parseAddress } from "./sentinel-view.ts";
import type { SentinelWatch } from "./sentinel-watch.ts";

/** How long a connection may take to end before it is destroyed. */
const DISCONNECT_TIMEOUT_MS = 300;

/** Where one client is connected. */
export interface Seat {
  /** `host:port`, null while there is no connection. */
  address: string | null;
}

/**
 * What {@link Redis} takes as `Connector`: it is made by the client itself.
 * @param trust of TLS; null: no TLS
 */
export function connectorFor(watch: SentinelWatch, role: Role, trust: Trust | null, seat: Seat) {
  return class GroupConnector extends AbstractConnector {
    #giveUp: (() => void) | null = null;

    constructor() {
      super(DISCONNECT_TIMEOUT_MS);
      watch.onChange(() => {
        this.#giveUp?.();
        if (seat.address !== null && !suits(seat.address)) this.stream?.destroy();
      });
    }

    /** Waits until there is a node to go to: a client whose connector rejects stops trying for good. */
    override async connect(): Promise<Socket> {
      this.connecting = true;
      let address = choose();
      while (address === null && this.connecting) {
        await new Promise<void>((resolve) => {
          this.#giveUp = resolve;
        });
        address = choose();
      }
      if (address === null || !this.connecting) throw new Error("the connection was closed before it was made");
      const { host, port } = parseAddress(address);
      // A certificate may be for an address; a server name may not be one.
      const name = isIP(host) === 0 ? { servername: host } : {};
      const stream = trust ? connectTls({ host, port, ...name, ...trust }) : connectTcp({ host, port });
      this.stream = stream;
      stream.once("error", (error) => {
        this.firstError = error;
      });
      seat.address = address;
      stream.once("close", () => {
        if (this.stream === stream) seat.address = null;
      });
      return stream;
    }

    /** @param info of the node, by field: is it what we came for? */
    override check(info: Record<string, string> | null): boolean {
      const wanted = role === "replica" && seat.address !== watch.master ? "slave" : "master";
      return info?.role === wanted && (wanted === "master" || info.master_link_status === "up");
    }

    override disconnect(): void {
      super.disconnect();
      this.#giveUp?.();
    }
  };

  function choose(): string | null {
    if (role !== "replica") return watch.master;
    const { replicasInSync } = watch;
    return replicasInSync[Math.floor(Math.random() * replicasInSync.length)] ?? watch.master;
  }

  function suits(address: string): boolean {
    if (role !== "replica") return address === watch.master;
    const { replicasInSync } = watch;
    return replicasInSync.includes(address) || (replicasInSync.length === 0 && address === watch.master);
  }
}
