import { expect, test } from "vitest";
import { namedIn, recordedBy, unknownIn } from "./expressions.ts";

const none = recordedBy([]);

test("metrics and labels are found wherever an expression has them", () => {
  const { metrics, labels } = namedIn(
    'sum by (namespace, le) (rate(millrace_x_bucket{route=~"a{b} by (c)", status!="5"}[5m])) / 2.5 unless on (job) up == 1',
  );
  expect(metrics).toEqual(["millrace_x_bucket", "up"]);
  expect(labels.map(({ label }) => label)).toEqual(["route", "status", "namespace", "le", "job"]);
});

test.each([
  ["a metric that nobody tells", "sum(millrace_put_total)", "the metric millrace_put_total"],
  ["a histogram as if it were one series", "rate(millrace_put_to_applied_seconds[5m])", "the metric"],
  ["a counter without its _total", "rate(millrace_commands_applied[5m])", "the metric millrace_commands_applied"],
  [
    "a label that the metric does not have",
    'millrace_waiters{partition="3"}',
    "the label partition of millrace_waiters",
  ],
  ["grouping by such a label", "sum by (state) (millrace_partition_backlog)", "the label state of"],
  ["le of what is no histogram", "sum by (le) (millrace_waiters)", "the label le of millrace_waiters"],
  ["nothing at all", "1 + 1", "no metric"],
])("%s is found out", (_, expression, fault) => {
  expect(unknownIn(expression, none).join("\n")).toContain(fault);
});

test("what is right passes", () => {
  expect(unknownIn('max by (partition) (millrace_partition_state{state="ok", namespace="n"})', none)).toEqual([]);
  expect(unknownIn("namespace:x:ratio > 1", recordedBy(["namespace:x:ratio"]))).toEqual([]);
});
