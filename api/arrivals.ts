/**
 * Finds requests that do not arrive: senders who hold a connection for nothing (slowloris). Asked once a second.
 *
 * A body has to be there whole in a fixed time; one that may flow for as long as it likes must move: it is late when
 * for some time nothing was read of it, nor anything written of its answer.
 */

/** A connection, as far as it matters here. */
interface Wire {
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly destroyed: boolean;
}

interface Arrival {
  readonly request: { readonly complete: boolean };
  readonly flows: boolean;
  /** In looks: when it began, or last moved. */
  since: number;
  movedBytes: number;
}

export class Arrivals<Connection extends Wire> {
  readonly #wholeS: number;
  readonly #stillS: number;
  readonly #arrivals = new Map<Connection, Arrival>();
  #looks = 0;

  /**
   * @param wholeS seconds that a body may take
   * @param stillS seconds that one which flows may stand still
   */
  constructor(wholeS: number, stillS: number) {
    this.#wholeS = wholeS;
    this.#stillS = stillS;
  }

  /** The headers of a request are there. */
  begin(connection: Connection, request: Arrival["request"], flows: boolean): void {
    this.#arrivals.set(connection, { request, flows, since: this.#looks, movedBytes: 0 });
  }

  /** Those that are late, each told once. */
  look(): readonly { readonly connection: Connection; readonly flows: boolean }[] {
    this.#looks += 1;
    const late: { connection: Connection; flows: boolean }[] = [];
    for (const [connection, arrival] of this.#arrivals) {
      if (arrival.request.complete || connection.destroyed) {
        this.#arrivals.delete(connection);
        continue;
      }
      const movedBytes = connection.bytesRead + connection.bytesWritten;
      if (arrival.flows && movedBytes !== arrival.movedBytes) arrival.since = this.#looks;
      arrival.movedBytes = movedBytes;
      if (this.#looks - arrival.since <= (arrival.flows ? this.#stillS : this.#wholeS)) continue;
      this.#arrivals.delete(connection);
      late.push({ connection, flows: arrival.flows });
    }
    return late;
  }
}
