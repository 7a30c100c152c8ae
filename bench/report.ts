/**
 * The result as a table for people and as JSON for programs.
 */
import type { Machine } from "./machine.ts";
import { median, type Row, ratio, reached, type Target } from "./row.ts";

const HEAD = ["row", "what", "ours", "baseline", "compared with", "ratio", "target", "reached"];

export function formatTable(machine: Machine, rows: readonly Row[]): string {
  const lines = [HEAD, ...rows.flatMap(tableLines)];
  const widths = HEAD.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const text = lines.map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "));
  const { cpu, cores, memoryGib, loadBefore, node, redis } = machine;
  const named = `${cpu}, ${cores} cores, ${memoryGib} GiB, node ${node}, redis ${redis}, load before ${loadBefore.toFixed(2)}`;
  return [named, "", ...text.map((line) => line.trimEnd()), ""].join("\n");
}

/** A line per target; only the first repeats the row's figures. */
function tableLines(row: Row): string[][] {
  const figure = (rounds: readonly number[]) => `${formatFigure(median(rounds))} ${row.unit}`;
  const figures = [figure(row.ours.rounds), figure(row.baseline.rounds), row.baseline.name, ratio(row).toFixed(2)];
  return row.targets.map((target, index) => {
    const left = index === 0 ? [row.name, row.what, ...figures] : ["", "", "", "", "", ""];
    return [...left, formatTarget(target, row.unit), reached(row, target) ? "yes" : "NO"];
  });
}

function formatFigure(figure: number): string {
  if (figure >= 1_000) return Math.round(figure).toLocaleString("en-US");
  return figure.toFixed(figure >= 100 ? 0 : 2);
}

function formatTarget({ of, bound, value }: Target, unit: Row["unit"]): string {
  const sign = bound === "at least" ? ">=" : "<=";
  return of === "ours" ? `${sign} ${value.toLocaleString("en-US")} ${unit}` : `${sign} ${value} x`;
}

export function formatJson(machine: Machine, rows: readonly Row[], takenAt: Date): string {
  const described = rows.map((row) => ({
    ...row,
    ours: { ...row.ours, median: median(row.ours.rounds) },
    baseline: { ...row.baseline, median: median(row.baseline.rounds) },
    ratio: ratio(row),
    targets: row.targets.map((target) => ({ ...target, reached: reached(row, target) })),
  }));
  return `${JSON.stringify({ takenAt: takenAt.toISOString(), machine, rows: described }, null, 2)}\n`;
}
