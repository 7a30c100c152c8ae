import { beforeEach, expect, test } from "vitest";
import { Arrivals } from "./arrivals.ts";

const WHOLE_S = 3;
const STILL_S = 5;

let arrivals: Arrivals<ReturnType<typeof open>>;
const open = () => ({ bytesRead: 0, bytesWritten: 0, destroyed: false });
const looks = (count: number) => Array.from({ length: count }, () => arrivals.look()).flat();

beforeEach(() => {
  arrivals = new Arrivals(WHOLE_S, STILL_S);
});

test("a body that is not there whole in time is late, once, however it moves", () => {
  const slow = open();
  arrivals.begin(slow, { complete: false }, false);
  for (let second = 0; second < WHOLE_S; second += 1) {
    slow.bytesRead += 1;
    expect(looks(1)).toEqual([]);
  }
  expect(looks(1)).toEqual([{ connection: slow, flows: false }]);
  expect(looks(10)).toEqual([]);
});

test("one that may flow is late only when neither it nor its answer moves", () => {
  const flow = open();
  arrivals.begin(flow, { complete: false }, true);
  for (let second = 0; second < 100; second += 1) {
    if (second % STILL_S === 0) flow[second % 2 === 0 ? "bytesRead" : "bytesWritten"] += 1;
    expect(looks(1)).toEqual([]);
  }
  expect(looks(STILL_S + 1)).toEqual([{ connection: flow, flows: true }]);
});

test("what is there, or gone, is not late", () => {
  const [there, gone, next] = [open(), open(), open()];
  const request = { complete: false };
  arrivals.begin(there, request, false);
  arrivals.begin(gone, { complete: false }, false);
  arrivals.begin(next, { complete: false }, false);
  looks(2);
  request.complete = true;
  gone.destroyed = true;
  // Its time begins anew with each request of the connection.
  arrivals.begin(next, { complete: false }, false);
  expect(looks(WHOLE_S)).toEqual([]);
  expect(looks(1)).toEqual([{ connection: next, flows: false }]);
});
