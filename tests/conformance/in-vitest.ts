/** The suite as tests of the runner that `npm test` uses: one for each guarantee. */
import { describe, expect, test } from "vitest";
import { checkAgainstDocument } from "./openapi/document-check.ts";
import type { Target } from "./subject.ts";
import { FEATURES, type Run, startRun } from "./suite.ts";

/** @param start starts the server, once, before the first check */
export function testConformance(start: () => Promise<Target>): void {
  let starting: Promise<Run> | undefined;
  const run = (): Promise<Run> => {
    starting ??= start().then(startRun);
    return starting;
  };
  for (const feature of FEATURES) {
    describe(feature.name, () => {
      for (const [name, check] of Object.entries(feature.guarantees)) {
        test(name, async ({ skip }) => {
          const { serves, subjectFor } = await run();
          if (!(await serves(feature))) return skip(`this server has no ${feature.where}`);
          await check(subjectFor(feature));
        });
      }
    });
  }
  test("what was seen stands in /openapi.json, and what stands there was seen", async ({ skip }) => {
    const { openapi, exchanges } = await run();
    const document = await openapi();
    if (document === null) return skip("this server has no /openapi.json yet");
    expect(checkAgainstDocument(document, exchanges.all(), { complete: true })).toEqual([]);
  });
}
