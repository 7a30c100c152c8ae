/** The suite as tests of the runner that `npm test` uses: one for each guarantee. */
import { describe, expect, test } from "vitest";
import { checkAgainstDocument } from "./openapi/document-check.ts";
import type { Target } from "./subject.ts";
import { FEATURES, type Run, startRun } from "./suite.ts";

/**
 * Checks go side by side, as clients of a server do: what each writes is its own.
 * @param start starts the server, once, before the first check
 */
export function testConformance(start: () => Promise<Target>): void {
  let starting: Promise<Run> | undefined;
  const run = (): Promise<Run> => {
    starting ??= start().then(startRun);
    return starting;
  };
  for (const feature of FEATURES) {
    describe.concurrent(feature.name, () => {
      for (const [name, check] of Object.entries(feature.guarantees)) {
        test(name, async ({ skip }) => {
          const { hindrance, subjectFor } = await run();
          const reason = await hindrance(feature);
          if (reason !== null) return skip(reason);
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
