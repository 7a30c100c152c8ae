import { defineConfig } from "vitest/config";
import { ClosingLineReporter } from "./tests/harness/closing-line-reporter.ts";
import { LongestFirst } from "./tests/harness/longest-first.ts";

const notTests = ["**/node_modules/**", "dist/**"];
const severalProcesses = ["tests/e2e/**/*.test.ts", "tests/faults/**/*.test.ts"];
/** Measures how long nothing went on: nothing else goes on beside it. */
const faultSuite = ["tests/faults/suite.test.ts"];
const needsRedis = ["**/*.redis.test.ts"];
const setupFiles = ["./tests/harness/setup.ts"];

// What a test needs is said by its name and place. Groups run one after the other. Those of faults wait for most of their
// time, for a lease, a Sentinel, a start: three of them fill two processors. What measures how long nothing went on runs
// alone.
export default defineConfig({
  test: {
    reporters: ["default", new ClosingLineReporter()],
    allowOnly: false,
    sequence: { sequencer: LongestFirst },
    // For an event a test waits as long as it may: only what hangs is too slow. See tests/harness/wait-for.ts.
    expect: { poll: { timeout: 25_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["**/*.test.ts"],
          exclude: [...notTests, ...needsRedis, ...severalProcesses],
          testTimeout: 30_000,
          maxWorkers: 2,
          // They touch nothing that another one sees, and loading it all anew for each takes longer than they do.
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: "redis",
          include: needsRedis,
          exclude: [...notTests, ...severalProcesses],
          setupFiles,
          testTimeout: 30_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["tests/e2e/**/*.test.ts"],
          exclude: notTests,
          setupFiles,
          testTimeout: 120_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: "faults",
          include: ["tests/faults/**/*.test.ts"],
          exclude: [...notTests, ...faultSuite],
          setupFiles,
          testTimeout: 300_000,
          hookTimeout: 60_000,
          maxWorkers: 3,
          sequence: { groupOrder: 3 },
        },
      },
      {
        extends: true,
        test: {
          name: "suite",
          include: faultSuite,
          exclude: notTests,
          setupFiles,
          testTimeout: 300_000,
          hookTimeout: 60_000,
          maxWorkers: 1,
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
});
