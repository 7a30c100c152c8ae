/** What a run came to: the table at its end, and the files that prove it. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Cluster } from "./cluster.ts";
import type { RoundResult } from "./round.ts";
import type { Kind } from "./violations.ts";

/** Between the names of faults that were struck together. */
export const JOINED = "+";

/** One line of the table: all rounds of one nemesis. */
export interface Row {
  readonly nemesis: string;
  readonly rounds: number;
  readonly operations: number;
  readonly faults: number;
  readonly failovers: number;
  readonly acknowledged: number;
  readonly lost: number;
  readonly doubled: number;
  readonly reordered: number;
  readonly undecided: number;
  /** Violations of any other kind. */
  readonly other: number;
  /** Keys whose histories were searched for an order. */
  readonly registers: number;
  readonly writeStallMs: number;
  readonly applyStallMs: number;
  readonly readStallMs: number;
  readonly drainedMs: number;
}

export function toRow(result: RoundResult, acknowledgedBefore: number): Row {
  const { findings, judgement, stalls } = result;
  const count = (kind: Kind): number => findings.count(kind);
  const named = { lost: count("lost"), doubled: count("doubled"), reordered: count("reordered") };
  const undecided = count("undecided");
  return {
    nemesis: result.name,
    rounds: 1,
    operations: result.operations,
    faults: result.faults,
    failovers: result.failovers,
    acknowledged: (judgement?.fates.acknowledged ?? acknowledgedBefore) - acknowledgedBefore,
    ...named,
    undecided,
    other: findings.total - named.lost - named.doubled - named.reordered - undecided,
    registers: judgement?.registers.keys ?? 0,
    writeStallMs: Math.round(stalls.writeMs),
    applyStallMs: Math.round(stalls.applyMs),
    readStallMs: Math.round(stalls.readMs),
    drainedMs: Math.round(result.drainedMs),
  };
}

/** Counts are added; of stalls the longest is kept. */
export function sumRows(rows: readonly Row[], nemesis: string): Row {
  const columns = Object.keys(rows[0] ?? {}).filter((name) => name !== "nemesis") as Exclude<keyof Row, "nemesis">[];
  const sums = columns.map((name) => {
    const values = rows.map((row) => row[name]);
    return [name, name.endsWith("Ms") ? Math.max(...values) : values.reduce((sum, value) => sum + value, 0)];
  });
  return { nemesis, ...(Object.fromEntries(sums) as Omit<Row, "nemesis">) };
}

/** One line for each nemesis, and one for all rounds. A round of several faults counts in the line of each of them. */
export function renderTable(rows: readonly Row[]): string {
  const byName = new Map<string, Row[]>();
  for (const row of rows) {
    for (const name of row.nemesis.split(JOINED)) byName.set(name, [...(byName.get(name) ?? []), row]);
  }
  const lines = [...byName].map(([name, same]) => sumRows(same, name));
  if (lines.length > 1) lines.push(sumRows(rows, "all"));
  const names = Object.keys(lines[0] ?? {}) as (keyof Row)[];
  const cells = [names.map(String), ...lines.map((line) => names.map((name) => String(line[name])))];
  const widths = names.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const pad = (text: string, column: number): string =>
    column === 0 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0);
  return cells.map((row) => `| ${row.map(pad).join(" | ")} |`).join("\n");
}

/** What no loss in so many faults means: by the rule of three, with a certainty of 95 %. */
export function boundOf(rows: readonly Row[]): string {
  const faults = rows.reduce((sum, row) => sum + row.faults, 0);
  const harm = rows.reduce((sum, row) => sum + row.lost + row.doubled + row.reordered, 0);
  if (harm > 0 || faults === 0) return `${harm} lost, doubled or reordered in ${faults} faults`;
  const percent = Math.min(100, 300 / faults).toFixed(1);
  return `0 lost, doubled or reordered in ${faults} faults: at most ${percent} % of such faults do harm (95 %)`;
}

/** Keeps what a violation is proved by. @returns the folder */
export async function keepEvidence(
  folder: string,
  number: number,
  result: RoundResult,
  cluster: Cluster,
): Promise<string> {
  const path = join(folder, `round-${number}-${result.name}`);
  await mkdir(path, { recursive: true });
  const write = (name: string, lines: readonly unknown[]): Promise<void> =>
    writeFile(
      join(path, name),
      lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`).join(""),
    );
  await write("violations.jsonl", result.findings.list());
  await write("notes.txt", result.notes);
  const { evidence } = result;
  if (evidence) {
    await write(
      "history.jsonl",
      evidence.operations.filter(({ startMs }) => startMs >= evidence.roundStartMs),
    );
    for (const [partition, entries] of evidence.log.entries()) {
      await write(
        `log-${partition}.txt`,
        entries.map(({ id, fields }) => `${id} ${fields[1]?.toString()} ${fields[3]?.toString("latin1", 0, 40)}`),
      );
    }
  }
  for (const { name, process } of cluster.everStarted) await write(`${name}.log`, process.logs());
  for (const node of [...cluster.groups.log.nodes, ...cluster.groups.store.nodes]) {
    await write(`${node.kind}-${node.index}.log`, node.logs());
  }
  for (const [index, sentinel] of cluster.sentinels.entries()) await write(`sentinel-${index}.log`, sentinel.logs());
  return path;
}
