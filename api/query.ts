/**
 * The query parameters of a route, as zod schemas: what is described in the OpenAPI document is what reads the request.
 * A parameter that a route does not know, or that comes twice, is refused: it would silently be without effect.
 */
import { z } from "zod";
import { ProblemError, type ProblemSlug } from "./errors.ts";
import { onlyParameters } from "./target.ts";

export class Query<Shape extends z.ZodRawShape = z.ZodRawShape> {
  readonly schema: z.ZodObject<Shape>;
  readonly #problem: ProblemSlug;
  readonly #problems: Readonly<Partial<Record<string, ProblemSlug>>>;
  readonly #names: readonly string[];
  /** What a request without any query comes to, once there was one; never where a parameter is required. */
  #absent: Readonly<z.output<z.ZodObject<Shape>>> | null = null;

  /**
   * @param shape a schema for each parameter; it is given the parameter's text, and its messages go after its name
   * @param problem what a parameter that is not valid is told as
   * @param problems the same for single ones
   */
  constructor(
    shape: Shape,
    problem: ProblemSlug = "invalid-parameter",
    problems: Readonly<Partial<Record<string, ProblemSlug>>> = {},
  ) {
    this.schema = z.object(shape);
    this.#problem = problem;
    this.#problems = problems;
    this.#names = Object.keys(shape);
  }

  /** @throws ProblemError. Without a query, as almost all requests for keys come, this costs nothing. */
  read(query: URLSearchParams | null): Readonly<z.output<z.ZodObject<Shape>>> {
    if (query === null && this.#absent !== null) return this.#absent;
    onlyParameters(query, this.#names);
    const given: Record<string, string> = {};
    for (const [name, value] of query ?? []) {
      if (Object.hasOwn(given, name)) throw new ProblemError(this.problemOf(name), `${name} is given more than once.`);
      given[name] = value;
    }
    const parsed = this.schema.safeParse(given);
    if (parsed.success) {
      if (query === null) this.#absent = Object.freeze(parsed.data);
      return parsed.data;
    }
    // What is wrong before what is missing.
    const isGiven = ({ path }: { readonly path: PropertyKey[] }) => Object.hasOwn(given, String(path[0]));
    const issues = parsed.error.issues.toSorted((one, other) => Number(isGiven(other)) - Number(isGiven(one)));
    throw new ProblemError(
      this.problemOf(String(issues[0]?.path[0])),
      issues.map(({ path, message }) => `${String(path[0])} ${message}`).join(" "),
    );
  }

  /** What this parameter is told as when it is not valid. */
  problemOf(name: string): ProblemSlug {
    return this.#problems[name] ?? this.#problem;
  }
}

export const NO_QUERY = new Query({});

/** A whole number in decimal digits: nothing else that JavaScript would take for one. */
export function wholeNumber(least: number, most: number) {
  const error = `is a number from ${least} to ${most}.`;
  return z.preprocess(fromDigits, z.int({ error }).min(least, error).max(most, error));
}

/** `true` or `false`; false when it is left out. */
export function flag(description: string) {
  return z
    .preprocess(
      (text) => (text === "true" ? true : text === "false" ? false : text),
      z.boolean({ error: "is true or false." }),
    )
    .default(false)
    .describe(description);
}

/** Of reads that a replica may answer. */
export const REPLICA_PARAMETER = z
  .literal("replica", { error: "is replica, or left out." })
  .optional()
  .describe("A replica of the store in sync may answer, and only the minimum revision is kept.");

/** Seconds to wait, where more than the bound is as good as the bound. */
export function seconds(most: number) {
  const error = "takes a number of seconds.";
  return z
    .preprocess(fromDigits, z.int({ error }).min(0, error))
    .transform((given) => Math.min(given, most))
    .default(0);
}

function fromDigits(text: unknown): unknown {
  return typeof text === "string" && /^\d{1,9}$/.test(text) ? Number(text) : text;
}
