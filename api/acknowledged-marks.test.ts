import { expect, test } from "vitest";
import type { Grade } from "../core/grade.ts";
import { AcknowledgedMarks } from "./acknowledged-marks.ts";

test("commands that the log acknowledged and counts no more are told, exactly and once", () => {
  const told: number[][] = [];
  const marks = new AcknowledgedMarks(2, (...about) => told.push(about));
  const acknowledge = (partition: number, first: number, last: number, grade: Grade = "memory") =>
    marks.acknowledged(grade, partition, first, last);
  acknowledge(0, 1, 3);
  acknowledge(0, 7, 8);
  acknowledge(1, 1, 1);
  // Who waits for replicas is answered later than who does not.
  acknowledge(0, 4, 6, "replicated");
  expect(told).toEqual([]);
  // The log came back with five commands: 6, 7 and 8 are gone.
  acknowledge(0, 6, 20);
  acknowledge(0, 21, 21);
  acknowledge(1, 2, 2);
  expect(told).toEqual([[0, 3]]);
  acknowledge(1, 1, 9);
  expect(told).toEqual([
    [0, 3],
    [1, 2],
  ]);
  expect(marks.gone).toBe(5);
});
