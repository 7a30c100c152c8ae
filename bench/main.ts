/**
 * npm run bench -- [name ...] [--json FILE]
 * Measures Millrace beside what it is compared with, on this machine, in this run.
 */
import { writeFileSync } from "node:fs";
import { describeMachine } from "./machine.ts";
import { parseOptions } from "./options.ts";
import { formatJson, formatTable } from "./report.ts";
import type { Row } from "./row.ts";
import { benches, runBench } from "./run.ts";
import { requireWrk } from "./wrk.ts";

const stopped = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stopped.abort(signal));

try {
  const options = parseOptions(process.argv.slice(2), [...benches.keys()]);
  const machine = describeMachine();
  await requireWrk();
  const rows: Row[] = [];
  for (const [name, bench] of benches) {
    if (!options.names.includes(name)) continue;
    process.stderr.write(`${name} ...\n`);
    try {
      rows.push(...(await runBench(bench, stopped.signal)));
    } catch (error) {
      stopped.signal.throwIfAborted();
      tell(`${name} gave no figures`, error);
    }
  }
  const json = formatJson(machine, rows, new Date());
  (options.json === "-" ? process.stderr : process.stdout).write(formatTable(machine, rows));
  if (options.json === "-") process.stdout.write(json);
  else if (options.json !== null) writeFileSync(options.json, json);
} catch (error) {
  tell("bench", error);
}

/** A bench that fails does not take the figures of the others with it. */
function tell(what: string, error: unknown): void {
  process.stderr.write(`${what}: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
