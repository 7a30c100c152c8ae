/** What the program is told on its command line. */
import { parseArgs } from "node:util";
import { chooseNemeses } from "./nemeses/catalog.ts";
import type { Nemesis } from "./nemesis.ts";

export interface SuiteOptions {
  readonly nemeses: readonly Nemesis[];
  /** Rounds of random combinations of the nemeses instead of each alone. */
  readonly combine: boolean;
  /** How long to go on; null: every nemesis once. */
  readonly minutes: number | null;
  readonly seed: number;
  /** Where to write the results as JSON. */
  readonly out: string | null;
  /** Operations a second. */
  readonly rate: number;
  /** Ends at the first round with a violation. */
  readonly untilViolation: boolean;
}

const RATE = 200;
const SOAK_MINUTES = 10;

/** Throws an error of one line that says what is wrong. */
export function readOptions(args: readonly string[]): SuiteOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      nemesis: { type: "string", default: "all" },
      combine: { type: "boolean", default: false },
      minutes: { type: "string" },
      seed: { type: "string" },
      out: { type: "string" },
      rate: { type: "string", default: String(RATE) },
      "until-violation": { type: "boolean", default: false },
    },
  });
  const number = (name: string, text: string): number => {
    const value = Number(text);
    if (!(value >= 0)) throw new Error(`--${name} takes a number`);
    return value;
  };
  return {
    nemeses: chooseNemeses(values.nemesis),
    combine: values.combine,
    minutes: values.minutes === undefined ? (values.combine ? SOAK_MINUTES : null) : number("minutes", values.minutes),
    seed: values.seed === undefined ? Math.floor(Math.random() * 1_000_000) : number("seed", values.seed),
    out: values.out ?? null,
    rate: number("rate", values.rate),
    untilViolation: values["until-violation"],
  };
}
