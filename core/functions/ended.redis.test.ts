import { beforeAll, beforeEach, expect, test } from "vitest";
import { at, entries, increment, put } from "../../tests/harness/log-entries.ts";
import { type StoreLab, startStoreLab } from "../../tests/harness/store-lab.ts";
import type { Command } from "../command.ts";
import { partitionKeys } from "../keys.ts";
import { APPLY_BATCH_MAX_COMMANDS, ENDED_TOLD_MAX } from "../limits.ts";
import { WATERMARK_ZERO } from "./apply.ts";

const PARTITION = 3;
const BAD = partitionKeys(4)[PARTITION]?.value("n", "bad") ?? "";

let lab: StoreLab;

beforeAll(async () => {
  lab = await startStoreLab(4);
});

beforeEach(async () => {
  await lab.reset();
  await lab.link.call({ name: "SET", args: [BAD, "rubbish"] });
});

const apply = async (commands: readonly Partial<Command>[]) => {
  const reply = await lab.store.apply(PARTITION, WATERMARK_ZERO, entries(commands));
  if (reply.kind !== "applied") throw new Error(reply.kind);
  return reply;
};

test("apply names the commands that are dead or rejected, in order, with why; and none of those that went well", async () => {
  const { ended, dead, rejected, watermark } = await apply([
    put("a", "x"),
    put("bad", "x"),
    increment("a"),
    put("b", "x"),
    increment("bad"),
  ]);
  expect({ dead, rejected, watermark }).toEqual({ dead: 2, rejected: 1, watermark: at(5) });
  expect(ended).toEqual([
    { id: "1000-2", result: { outcome: "dead", reason: "the store holds something that is not a value of ours" } },
    { id: "1000-3", result: { outcome: "rejected", reason: "not-an-integer" } },
    { id: "1000-5", result: { outcome: "dead", reason: "the store holds something that is not a value of ours" } },
  ]);
});

test("where there are many it names the first of each kind, so that neither hides the other, and counts all", async () => {
  const half = APPLY_BATCH_MAX_COMMANDS / 2;
  const rejections = [put("a", "x"), ...Array.from({ length: half - 1 }, () => increment("a"))];
  const { ended, dead, rejected } = await apply([
    ...rejections,
    ...Array.from({ length: half }, () => put("bad", "x")),
  ]);
  expect([rejected, dead]).toEqual([half - 1, half]);
  const of = (outcome: string) => ended.filter(({ result }) => result.outcome === outcome).map(({ id }) => id);
  expect(of("rejected")).toEqual(Array.from({ length: ENDED_TOLD_MAX }, (_, index) => `1000-${index + 2}`));
  expect(of("dead")).toEqual(Array.from({ length: ENDED_TOLD_MAX }, (_, index) => `1000-${index + half + 1}`));
});
