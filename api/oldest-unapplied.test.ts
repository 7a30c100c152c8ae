import { beforeEach, expect, test } from "vitest";
import type { Watermark } from "../core/functions/apply.ts";
import { OldestUnapplied } from "./oldest-unapplied.ts";

const MARK: Watermark = { id: "1000-0", ordinal: 7 };
let nowMs: number;
let asked: unknown[][];
let oldestId: () => Promise<string | null>;
let oldest: OldestUnapplied;

beforeEach(() => {
  nowMs = 100_000;
  asked = [];
  oldestId = async () => "70000-3";
  oldest = new OldestUnapplied(
    {
      oldestAfter: (...about) => {
        asked.push(about);
        return oldestId();
      },
    },
    () => nowMs,
  );
});

const ages = () => Object.fromEntries([...oldest.ages()].map(([{ partition }, age]) => [partition, age]));

test("nothing is told of what was not seen", () => {
  expect(ages()).toEqual({});
});

test("the age is that of the first command behind the watermark, when it was looked at", async () => {
  await oldest.look(3, MARK, 12);
  nowMs += 900;
  expect(asked).toEqual([[3, "1000-0"]]);
  expect(ages()).toEqual({ 3: 30 });
});

test("without a backlog it is 0, and the log is not asked", async () => {
  await oldest.look(3, MARK, 12);
  await oldest.look(3, MARK, 0);
  expect([ages(), asked.length]).toEqual([{ 3: 0 }, 1]);
});

test("what was applied between the two looks counts as nothing unapplied", async () => {
  oldestId = async () => null;
  await oldest.look(3, MARK, 1);
  expect(ages()).toEqual({ 3: 0 });
});

test("while the log is away the command that was seen goes on ageing", async () => {
  await oldest.look(3, MARK, 12);
  oldestId = () => Promise.reject(new Error("away"));
  nowMs += 60_000;
  await oldest.look(3, MARK, 12);
  expect(ages()).toEqual({ 3: 90 });
});

test("where the log's clock is ahead it is 0, not less", async () => {
  oldestId = async () => "200000-0";
  await oldest.look(0, MARK, 1);
  expect(ages()).toEqual({ 0: 0 });
});

test("one that hangs is not asked again", async () => {
  oldestId = () => new Promise(() => undefined);
  void oldest.look(3, MARK, 1);
  await oldest.look(3, MARK, 1);
  expect(asked.length).toBe(1);
});
