/** Runs features one after the other and tells each guarantee's fate in a line. */
import type { Feature } from "./feature.ts";
import { checkAgainstDocument } from "./openapi/document-check.ts";
import type { Subject, Target } from "./subject.ts";
import { FEATURES, startRun } from "./suite.ts";

/** @returns whether all of them hold */
export async function runFeatures(
  target: Target,
  features: readonly Feature[],
  say: (line: string) => void,
): Promise<boolean> {
  const startMs = performance.now();
  const run = startRun(target);
  let held = 0;
  let broken = 0;
  for (const each of features) {
    say(`\n${each.name}`);
    if (!(await run.serves(each))) {
      say(`  SKIPPED: this server has no ${each.where}`);
      continue;
    }
    const subject: Subject = run.subjectFor(each);
    for (const [name, check] of Object.entries(each.guarantees)) {
      const failure = await check(subject).then(
        () => null,
        (error: unknown) => error,
      );
      if (failure === null) {
        held += 1;
        say(`  ok    ${name}`);
      } else {
        broken += 1;
        say(`  FAIL  ${name}\n          ${describe(failure)}`);
      }
    }
  }
  say("\nwhat was seen stands in /openapi.json, and what stands there was seen");
  const document = await run.openapi();
  if (document === null) say("  SKIPPED: this server has no /openapi.json");
  else {
    const complete = features.length === FEATURES.length;
    const complaints = checkAgainstDocument(document, run.exchanges.all(), { complete });
    for (const complaint of complaints) say(`  FAIL  ${complaint}`);
    if (complaints.length === 0) say(complete ? "  ok" : "  ok    as far as these features go");
    broken += complaints.length;
  }
  say(`\n${held} hold, ${broken} do not; ${((performance.now() - startMs) / 1000).toFixed(1)} s`);
  return broken === 0;
}

function describe(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n").join("\n          ");
}
