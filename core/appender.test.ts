import { afterEach, expect, test, vi } from "vitest";
import { Appender } from "./appender.ts";
import type { Command } from "./command.ts";
import type { Group } from "./functions/append.ts";
import { PRODUCER_RENEW_MS } from "./limits.ts";

const command: Command = {
  namespace: "n",
  key: "k",
  operation: { op: "delete" },
  awaited: false,
  acceptedMs: 1,
};

afterEach(() => vi.restoreAllMocks());

/** An appender whose groups are only written down; while `silent`, the log never answers. */
function recorded() {
  const groups: Omit<Group, "commands">[] = [];
  const state = { silent: false };
  const appender = new Appender(
    {
      append: async (_, { commands, ...group }) => {
        groups.push(group);
        if (state.silent) throw new Error("the connection broke");
        return { firstId: `${groups.length}-0`, firstOrdinal: groups.length, repeated: commands.length === 0 };
      },
    },
    { partitions: 1, producer: "p", timeoutMs: 60, usable: () => true },
  );
  return { groups, state, submit: () => appender.submit(0, command, "memory"), stop: () => appender.stop() };
}

test("a lane that was silent for long goes on under a new name, and claims nothing of the one before: it may be forgotten", async () => {
  const { groups, submit, stop } = recorded();
  await submit();
  await submit();
  const now = performance.now();
  vi.spyOn(performance, "now").mockImplementation(() => now + PRODUCER_RENEW_MS + 1);
  await submit();
  await submit();
  expect(groups).toEqual([
    { producer: "p.m0", firstSequence: 1 },
    { producer: "p.m0", firstSequence: 2 },
    { producer: "p.m1", firstSequence: 1 },
    { producer: "p.m1", firstSequence: 2 },
  ]);
  await stop();
});

test("after a group that was given up the new name says how far the one before was acknowledged, until the log has heard it", async () => {
  const { groups, state, submit, stop } = recorded();
  await submit();
  await submit();
  state.silent = true;
  await expect(submit()).rejects.toMatchObject({ code: "outcome-unknown" });
  await expect(submit()).rejects.toMatchObject({ code: "outcome-unknown" });
  state.silent = false;
  await vi.waitFor(submit, { timeout: 25_000 });
  await submit();
  const predecessor = { producer: "p.m0", sequence: 2 };
  expect(groups.filter(({ producer }) => producer !== "p.m0")).toEqual(
    expect.arrayContaining([
      { producer: "p.m1", firstSequence: 1, predecessor },
      { producer: "p.m2", firstSequence: 1, predecessor },
      { producer: "p.m2", firstSequence: 2 },
    ]),
  );
  await stop();
});
