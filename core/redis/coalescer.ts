/**
 * Sends calls that come together, together, with one WAIT for all of them where replicas must confirm
 * (group commit).
 */
import { OperatingError } from "../errors.ts";
import type { Grade } from "../grade.ts";
import type { Call, Link } from "./link.ts";

interface Waiting {
  readonly call: Call;
  readonly resolve: (reply: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** `turn`: at the end of this event-loop turn. `step`: as soon as the code that is running now is through. */
export type Moment = "turn" | "step";

export class Coalescer {
  readonly #link: Link;
  readonly #grade: Grade;
  readonly #moment: Moment;
  #waiting: Waiting[] = [];

  /** @param grade what all that is sent must have reached, before it counts */
  constructor(link: Link, grade: Grade, moment: Moment) {
    this.#link = link;
    this.#grade = grade;
    this.#moment = moment;
  }

  /**
   * @returns Redis' reply once all that was read or written has the grade
   * @throws Redis' own error for this call; OperatingError `not-settled` when nothing was sent, `not-confirmed` when it was,
   * and too few replicas answered in time; any other error when the connection broke: the outcome is unknown then
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
    try {
      const { replies, unconfirmed } = await this.#link.callTogether(
        batch.map(({ call }) => call),
        this.#grade,
      );
      batch.forEach(({ resolve, reject }, index) => {
        const reply = replies[index];
        if (reply instanceof Error) reject(reply);
        else if (unconfirmed !== null) reject(new OperatingError("not-confirmed", unconfirmed));
        else resolve(reply);
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
