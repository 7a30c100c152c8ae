import { pino } from "pino";
import { expect, test } from "vitest";
import type { Command } from "../core/command.ts";
import { Expirer } from "./expirer.ts";

/** A partition whose store says what is due and where it is; what is asked for stays due until the test says otherwise. */
function scene() {
  const submitted: Command[] = [];
  const state = { nowMs: 1_000, watermark: 0, due: ["a", "b"] };
  const expirer = new Expirer({
    store: {
      due: async () => state.due.map((key) => ({ namespace: "n", key })),
      watermark: async () => ({ id: `1-${state.watermark}`, ordinal: state.watermark }),
    },
    appender: {
      submit: async (partition, command, grade) => {
        submitted.push(command);
        return { partition, id: `1-${submitted.length}`, grade };
      },
    },
    logger: pino({ enabled: false }),
    owned: () => [0],
    grade: () => "memory",
    now: () => state.nowMs,
  });
  return { submitted, state, expirer };
}

test("asks for each key that is due, once, until that is applied", async () => {
  const { submitted, state, expirer } = scene();
  await expirer.look(0);
  expect(submitted.map(({ key, operation }) => [key, operation.op])).toEqual([
    ["a", "expire"],
    ["b", "expire"],
  ]);
  state.watermark = 1;
  await expirer.look(0);
  expect(submitted).toHaveLength(2);
  state.watermark = 2;
  state.due = ["c"];
  await expirer.look(0);
  expect(submitted.map(({ key }) => key)).toEqual(["a", "b", "c"]);
});

test("keys that stay due (the log's clock is behind) are asked for ever more rarely", async () => {
  const { submitted, state, expirer } = scene();
  for (let second = 0; second < 120; second += 0.25) {
    state.nowMs = second * 1000;
    state.watermark = submitted.length;
    await expirer.look(0);
  }
  expect(submitted.length / 2).toBeLessThan(15);
  expect(submitted.length / 2).toBeGreaterThan(8);
});
