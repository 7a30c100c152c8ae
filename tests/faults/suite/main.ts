/**
 * The fault suite: `node dist/tests/faults/suite/main.js --nemesis all --seed 1`. Exit code 0: nothing was violated, 1:
 * something was, 2: it could not run.
 */
import { runInside } from "./namespace.ts";
import { readOptions } from "./options.ts";
import { runSuite } from "./run.ts";

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

try {
  const options = readOptions(process.argv.slice(2));
  const inside = await runInside();
  process.exit(inside ?? (await runSuite(options, say)));
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exit(2);
}
