/**
 * The StatefulSets of infra/redis without a cluster: `node dist/tests/faults/pods/main.js --out <file>` runs their
 * containers' commands, probes and hooks in pods of its own, has them lose their addresses in every way, and writes down
 * what it saw. Exit code 0: it ran, 3: this machine does not let it.
 */
import { isInside, runInside } from "../suite/namespace.ts";
import { playPods } from "./play.ts";
import { canRender } from "./stateful-set.ts";

const CANNOT = 3;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

try {
  const [, out = ""] = process.argv.slice(2);
  const may = process.getuid?.() === 0 && canRender();
  const inside = may ? await runInside() : CANNOT;
  if (inside !== null) process.exit(inside);
  if (!isInside()) process.exit(CANNOT);
  await playPods(out, say);
  process.exit(0);
} catch (error) {
  say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exit(1);
}
