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
    // A connection that breaks makes a worker look where the store stands: here none does.
    nemeses: "store-flushed,store-failover-cut",
    expects: ["lost", "doubled", "diverged", "miscounted", "not-linearizable", "wrong-result"],
  },
  {
    name: "R2",
    removes: "entries are applied as soon as the log's master has them",
    changes: [
      {
        file: "dist/core/log.js",
        text: 'this.#reads = new Coalescer(link, "replicated", "turn");',
        by: 'this.#reads = new Coalescer(link, "memory", "turn");',
      },
    ],
    nemeses: "log-lag-kill,log-split,log-lag-kill",
    expects: ["phantom", "diverged", "lost", "doubled", "miscounted", "not-linearizable", "wrong-result"],
  },
  {
    name: "R3",
    removes: "one replica is enough to confirm (K = 1)",
    changes: [
      {
        file: "dist/core/redis/replica-count.js",
        text: "        return this.#count;",
        by: "        return this.#count === null ? null : 1;",
      },
    ],
    nemeses: "log-failover,log-replication-one-way,log-failover,log-failover,log-failover",
    expects: ["lost"],
  },
  {
    name: "R4",
    removes: "a group that is sent again is appended again, and applied again",
    changes: [
      {
        file: "dist/core/functions/append.lua",
        text: "    if first == tonumber(last_first) and count == tonumber(last_count) then",
        by: "    if false then",
      },
      {
        file: "dist/core/functions/append.lua",
        text: "    if first < tonumber(last_first) + tonumber(last_count) then error('MRSEQUENCE past ' .. first_text, 0) end",
        by: "",
      },
      { file: "dist/core/functions/producers.lua", text: "  if sequence <= last.sequence then", by: "  if false then" },
    ],
    nemeses: "log-link-cut-one-way,half-open,log-lag-kill",
    expects: ["doubled", "reordered", "miscounted", "not-linearizable", "wrong-result"],
  },
  {
    name: "guard",
    removes: "a node that the Sentinels take for the master starts as the master, whatever it has",
    changes: [
      { file: "infra/redis/start-node.sh", text: '    if [ -n "$promotable" ]; then', by: "    if false; then" },
      {
        file: "infra/redis/start-node.sh",
        text: '    elif ! is_empty || check_empty "$(printf \'%s\\n\' "$answers" | replicas_seen)"; then',
        by: "    else",
      },
    ],
    nemeses: "log-master-wiped",
    expects: ["lost", "not-drained", "diverged"],
  },
  {
    name: "pcall",
    removes: "an error in one command ends the whole batch",
    changes: [
      {
        file: APPLY,
        text: "ok, result, present = pcall(attempt, letters, command, value_key, body)",
        by: "ok, result, present = true, attempt(letters, command, value_key, body)",
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
        file: "dist/consumer/standing.js",
        text: "        this.#watermark = watermark;\n        if",
        by: "        if (this.#watermark !== null && watermark.ordinal < this.#watermark.ordinal) return;\n        this.#watermark = watermark;\n        if",
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
