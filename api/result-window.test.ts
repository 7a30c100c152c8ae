import { beforeEach, describe, expect, test } from "vitest";
import { ResultWindow } from "./result-window.ts";

let window: ResultWindow;
let settle: ((text: string) => void)[];

beforeEach(() => {
  window = new ResultWindow({ items: 3, bytes: 100 });
  settle = [];
});

const add = (bytes = 1) =>
  window.add(
    bytes,
    new Promise((resolve) => {
      settle.push(resolve);
    }),
  );

test("results are taken in the order in which they were added, all that are ready at once", async () => {
  for (let item = 0; item < 3; item += 1) add();
  const taken = window.take();
  settle[1]?.("b");
  await Promise.resolve();
  settle[0]?.("a");
  expect(await taken).toEqual(["a", "b"]);
  settle[2]?.("c");
  expect(await window.take()).toEqual(["c"]);
});

test("after the end there is nothing more; a failure is told after all that was added", async () => {
  add();
  window.end(new Error("broken"));
  settle[0]?.("a");
  expect(await window.take()).toEqual(["a"]);
  await expect(window.take()).rejects.toThrow("broken");
  const other = new ResultWindow({ items: 1, bytes: 1 });
  const taken = other.take();
  other.end();
  expect(await taken).toBeNull();
});

describe("is full", () => {
  test("at its number of items, also when all their results are ready, until they are taken", async () => {
    for (let item = 0; item < 3; item += 1) {
      expect(window.full(1)).toBe(false);
      add();
    }
    for (const each of settle) each("x");
    expect(window.full(1)).toBe(true);
    const room = window.room();
    await window.take();
    await room;
    expect(window.full(1)).toBe(false);
  });

  test("at its bytes; but one alone is let in, whatever its size", () => {
    expect(window.full(1_000)).toBe(false);
    add(60);
    expect([window.full(40), window.full(41)]).toEqual([false, true]);
  });
});

test("abandoned, it holds up nobody", async () => {
  for (let item = 0; item < 3; item += 1) add();
  const [room, taken] = [window.room(), window.take()];
  window.abandon();
  await room;
  expect(await taken).toBeNull();
  expect([window.abandoned, window.full(1)]).toEqual([true, false]);
});
