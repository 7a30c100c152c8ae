import type { SerializedError } from "vitest";
import type { Reporter, TestModule, TestRunEndReason } from "vitest/node";

/** Prints the sum of a run alone on its very last line: `12 passed, 0 failed`, and `, 3 skipped` when there are any. */
export class ClosingLineReporter implements Reporter {
  private line = "0 passed, 1 failed";

  onInit(): void {
    // Other reporters and the runner itself write until the end, so this waits for the exit.
    process.once("exit", () => process.stdout.write(`${this.line}\n`));
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[], reason: TestRunEndReason): void {
    let passed = 0;
    let skipped = 0;
    let failed = unhandled.length;
    for (const module of modules) {
      let failedHere = 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "passed") passed += 1;
        else if (state === "failed") failedHere += 1;
        else skipped += 1;
      }
      // A file that cannot be loaded, or whose hooks fail, has no failed test: it counts as one.
      failed += module.ok() ? failedHere : Math.max(failedHere, 1);
    }
    if (reason !== "passed") failed = Math.max(failed, 1);
    this.line = `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
  }
}
