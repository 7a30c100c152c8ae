/**
 * Sends calls that come together, together, with one WAIT for all of them where replicas must confirm
 * (group commit).
 */
import { OperatingError } from "../errors.ts";
import type { Call, Confirmation, Link } from "./link.ts";

interface Waiting {
  readonly call: Call;
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** `turn`: at the end of this event-loop turn. `step`: as soon as the code that is running now is through. */
export type Moment = "turn" | "step";

export class Coalescer {
  readonly #link: Link;
  readonly #confirmation: Confirmation;
  readonly #moment: Moment;
  #waiting: Waiting[] = [];

  constructor(link: Link, confirmation: Confirmation, moment: Moment) {
    this.#link = link;
    this.#confirmation = confirmation;
    this.#moment = moment;
  }

  /**
   * @returns Redis' reply once the asked-for replicas hold all that was read or written
   * @throws Redis' own error for this call; OperatingError `not-confirmed` when too few replicas answered in time;
   * any other error when the connection broke: the outcome is unknown then
   */
  send(call: Call): Promise<unknown> {
    if (this.#waiting.length === 0) {
      if (this.#moment === "turn") setImmediate(() => void this.#flush());
      else queueMicrotask(() => void this.#flush());
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ call, resolve, reject });
    });
  }

  async #flush(): Promise<void> {
    const batch = this.#waiting;
    this.#waiting = [];
    const { replicas } = this.#confirmation;
    try {
      const { replies, confirmed } = await this.#link.callTogether(
        batch.map(({ call }) => call),
        this.#confirmation,
      );
      batch.forEach(({ resolve, reject }, index) => {
        const reply = replies[index];
        if (reply instanceof Error) reject(reply);
        else if (confirmed < replicas)
          reject(new OperatingError("not-confirmed", `${confirmed} of ${replicas} replicas`));
        else resolve(reply);
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
