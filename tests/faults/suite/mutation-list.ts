/** The safety mechanisms, each with how to take it away and which fault then does damage. */
import type { Kind } from "./violations.ts";

export interface Mutation {
  readonly name: string;
  /** What is taken away. */
  readonly removes: string;
  readonly changes: readonly Change[];
  /** Names of nemeses, as often as they are worth trying. */
  readonly nemeses: string;
  /** At least one of these must be found. */
  readonly expects: readonly Kind[];
}

export interface Change {
  /** In the built tree. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly text: string;
  readonly by: string;
}

const WORKER = "dist/consumer/partition-worker.js";
const APPLY = "dist/core/functions/apply.lua";

export const MUTATIONS: readonly Mutation[] = [
  {
    name: "R1",
    removes: "apply continues from anywhere, and skips only what is not after the watermark",
    changes: [
      { file: APPLY, text: "if stored ~= args[1] then return { 'MISMATCH', stored } end", by: "" },
      { file: APPLY, text: "if verdict then return { verdict, stored, at_id } end", by: "" },
    ],
    nemeses: "store-failover-lossy,two-owners,store-failover-lossy,consumer-freeze",
    expects: ["lost", "doubled", "diverged", "miscounted", "not-linearizable", "wrong-result"],
  },
  {
    name: "pcall",
    removes: "an error in one command ends the whole batch",
    changes: [
      {
        file: APPLY,
        text: "ok, result, present = pcall(run, command, keys[4 + index_count + i], body)",
        by: "ok, result, present = true, run(command, keys[4 + index_count + i], body)",
      },
    ],
    nemeses: "poison",
    expects: ["not-drained", "doubled", "diverged", "miscounted"],
  },
  {
    name: "healing",
    removes: "a worker goes on from where it believes to be, although the store went back",
    changes: [
      {
        file: WORKER,
        text: "        const before = this.#watermark;\n        this.#watermark = watermark;",
        by: "        const before = this.#watermark;\n        if (before !== null && watermark.ordinal < before.ordinal) return;\n        this.#watermark = watermark;",
      },
    ],
    nemeses: "store-failover-lossy,store-failover-lossy",
    expects: ["not-drained", "lost", "diverged"],
  },
  {
    name: "ack",
    removes: "entries are acked before they are applied",
    changes: [
      {
        file: WORKER,
        text: "            const reply = await oldest.reply;\n            flight.shift();",
        by: "            await this.#ack(oldest.batch);\n            const reply = await oldest.reply;\n            flight.shift();",
      },
    ],
    nemeses: "store-slow,store-slow",
    expects: ["acked-early"],
  },
];
