import { expect, test } from "vitest";
import type { Grade } from "../core/grade.ts";
import { AcknowledgedMarks } from "./acknowledged-marks.ts";

test("commands that the log acknowledged and counts no more are told, exactly and once", () => {
  const told: number[][] = [];
  const marks = new AcknowledgedMarks(2, (...about) => told.push(about));
  const accept = (partition: number, ordinal: number, grade: Grade = "memory") =>
    marks.accepted({ partition, ordinal, grade });
  for (const ordinal of [1, 2, 3, 7, 8]) accept(0, ordinal);
  accept(1, 1);
  // Who waits for replicas is answered later than who does not.
  accept(0, 6, "replicated");
  expect(told).toEqual([]);
  // The log came back with five commands: 6, 7 and 8 are gone.
  accept(0, 6);
  accept(0, 7);
  accept(1, 2);
  expect(told).toEqual([[0, 3]]);
  accept(1, 1);
  expect(told).toEqual([
    [0, 3],
    [1, 2],
  ]);
  expect(marks.gone).toBe(5);
});
