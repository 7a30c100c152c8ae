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
const APPEND = "dist/core/functions/append.lua";
const PRODUCERS = "dist/core/functions/producers.lua";

export const MUTATIONS: readonly Mutation[] = [
  {
    name: "R1",
    removes: "apply continues from anywhere, and over gaps",
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
    removes: "a consumer applies what the log's replicas have not confirmed",
    changes: [
      {
        file: "dist/core/log.js",
        text: 'this.#reads = new Coalescer(link, "replicated", "turn");',
        by: 'this.#reads = new Coalescer(link, "memory", "turn");',
      },
    ],
    nemeses: "log-lag-kill,log-lagging-promoted,log-lag-kill",
    expects: ["phantom", "diverged", "miscounted", "not-linearizable", "wrong-result", "reordered", "not-drained"],
  },
  {
    name: "R3",
    removes: "one replica is enough for a confirmation (K = 1)",
    changes: [
      {
        file: "dist/core/redis/replica-count.js",
        text: "    get count() {\n        return this.#count;",
        by: "    get count() {\n        return this.#count === null ? null : 1;",
      },
    ],
    nemeses: "log-lagging-promoted,log-lagging-promoted,log-failover-cut",
    expects: ["lost", "diverged", "reordered", "wrong-read", "phantom"],
  },
  {
    name: "R4",
    removes: "a group that is sent again is appended again, and applied again",
    changes: [
      {
        file: APPEND,
        text: "if first == tonumber(last_first) and count == tonumber(last_count) then",
        by: "if false then",
      },
      { file: APPEND, text: "if first < tonumber(last_first) + tonumber(last_count) then", by: "if false then" },
      { file: PRODUCERS, text: "if sequence <= last.sequence then", by: "if false then" },
    ],
    nemeses: "log-connections-killed,log-connections-killed,log-connections-killed",
    // A copy of a command stands at another place, and has another result than its client was told.
    expects: ["doubled", "miscounted", "diverged", "reordered", "wrong-result", "not-linearizable"],
  },
  {
    name: "healing",
    removes: "a worker goes on from where it has been, although the store went back",
    changes: [
      {
        file: "dist/consumer/standing.js",
        text: "    moveTo(watermark) {\n",
        by: "    moveTo(watermark) {\n        if (this.#watermark !== null && watermark.ordinal < this.#watermark.ordinal) return;\n",
      },
    ],
    nemeses: "store-flushed,store-failover-lossy",
    expects: ["not-drained", "lost", "diverged"],
  },
  {
    name: "pcall",
    removes: "an error in one command ends the whole batch",
    changes: [
      {
        file: APPLY,
        text: "local ok, result = pcall(self.attempt, self, command, target, body, now)",
        by: "local ok, result = true, self:attempt(command, target, body, now)",
      },
    ],
    nemeses: "poison",
    expects: ["not-drained", "doubled", "diverged", "miscounted"],
  },
  {
    name: "all-or-nothing",
    removes: "a transaction writes each key while it plans the next",
    changes: [
      {
        file: "dist/core/functions/transactions.lua",
        text: "    effects[i] = string.gsub(",
        by: "    if record then redis.call('SET', keys[i], record) end\n    effects[i] = string.gsub(",
      },
    ],
    nemeses: "consumer-kill",
    expects: ["miscounted", "diverged"],
  },
  {
    name: "guard",
    removes: "a node that the Sentinels still name as the master starts as the master, whatever it holds",
    changes: [
      {
        file: "infra/redis/start-node.sh",
        text: '    [ "$master" = "$me" ] || return 0\n',
        by: '    if [ "$master" = "$me" ]; then master=""; fi\n    return 0\n',
      },
    ],
    nemeses: "log-master-wiped",
    expects: ["lost", "diverged", "not-drained", "reordered"],
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
