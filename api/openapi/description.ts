/**
 * What a route says of itself. The app is built from these descriptions, and so is the OpenAPI document: there is no other
 * way to add a route, and what is described is what happens.
 *
 * To add one:
 * 1. In its file in `api/routes/`, beside the handler, `export const somethingRoute = describeRoute({ … })`. The types want a
 *    schema for each `{name}` of the path. Shared path parameters, headers and bodies are in `parameters.ts`, `headers.ts` and
 *    beside what they describe; a schema with `.meta({ id })` becomes a component of that name, once for all who use it.
 * 2. Query parameters are a `Query` (`api/query.ts`) of zod schemas, and the handler reads them by it:
 *    `somethingRoute.query.read(query)`. A test sends each route a parameter that it does not describe and one that its schemas
 *    do not take, and wants 400.
 * 3. `answers`: each status with the headers it may have and its body by media type: a zod schema (strict objects: a test
 *    holds real answers against it), or null for bytes. `problems`: the slugs it may answer with; `rejections`: those of
 *    them that are told when the command was in the log already. What every route may answer (COMMON_PROBLEMS), X-Request-Id
 *    and HEAD beside GET need no words.
 * 4. One line in `api/routing-table.ts`, and one in `api/statements.ts`: what it needs of whoever asks. The types want it. And one
 *    in `tests/harness/authorization-lines.ts`: the matrix of routes and tokens.
 * 5. A new problem has its meaning and advice in `api/problem-texts.ts`, a new header a line in `headers.ts`.
 * 6. `npx vitest run api/openapi -u` writes `docs/openapi.json`; a test fails while that is not done.
 *
 * Answers that the tests get are held against the descriptions (`tests/harness/contract.ts`), and those of the conformance suite
 * against the document; what is described and can be provoked over HTTP is to be seen there at least once.
 */
import type { z } from "zod";
import type { AppDependencies } from "../dependencies.ts";
import type { ProblemSlug } from "../errors.ts";
import type { Handler } from "../exchange.ts";
import { JSON_TYPE } from "../media-type.ts";
import type { Query } from "../query.ts";
import type { RouteName } from "../statements.ts";
import type { AnswerHeader, RequestHeader } from "./headers.ts";

export type Method = "GET" | "PUT" | "POST" | "PATCH" | "DELETE";

/** What each group of routes is about, in the order in which they are shown. */
export const TAGS = {
  values: "Keys and their values",
  changes: "What changes, as it happens",
  commands: "What became of a write",
  "dead letters": "Commands that could not be applied",
  namespaces: "Settings of namespaces, and what they hold",
  jobs: "Long work, done by consumers",
  partitions: "How the store and its log stand",
  about: "This contract itself; open to everybody, and the same in every installation",
} as const;

/** The body of a request or an answer, by media type; null: bytes that are nobody's business. */
export type Content = Readonly<Record<string, z.ZodType | null>>;

export interface AnswerDescription {
  readonly description: string;
  /** Beside those that every answer has. */
  readonly headers?: readonly AnswerHeader[];
  readonly content?: Content;
}

export interface RouteDescription<Path extends string = string, Q extends Query = Query> {
  readonly operationId: string;
  readonly tag: keyof typeof TAGS;
  readonly method: Method;
  /** With `{name}` for what varies. */
  readonly path: Path;
  readonly summary: string;
  readonly description?: string;
  readonly parameters: Readonly<Record<NamesIn<Path>, z.ZodType>>;
  readonly query: Q;
  readonly headers?: readonly RequestHeader[];
  readonly body?: { readonly description: string; readonly content: Content };
  readonly answers: Readonly<Record<number, AnswerDescription>>;
  /** Beside COMMON_PROBLEMS. */
  readonly problems: readonly ProblemSlug[];
  /** What a command that was accepted may come to: the answer tells its revision too. */
  readonly rejections?: readonly ProblemSlug[];
}

/** The names in a path: `"namespace" | "key"` of `/v1/kv/{namespace}/{key}`. */
type NamesIn<Path extends string> = string extends Path
  ? string
  : Path extends `${string}{${infer Name}}${infer Rest}`
    ? Name | NamesIn<Rest>
    : never;

/** A route must say in statements.ts what it needs of whoever asks. */
type Stated<Name extends string> = Name extends RouteName
  ? unknown
  : { readonly "needs a line in statements.ts": Name };

/** A description, checked and with its own types. */
export function describeRoute<const M extends Method, const Path extends string, Q extends Query>(
  route: RouteDescription<Path, Q> & { readonly method: M } & Stated<`${M} ${Path}`>,
): RouteDescription<Path, Q> {
  return route;
}

/** A route of the app. */
export interface Route {
  readonly about: RouteDescription;
  /** @param routes all there are, for those that tell of them */
  readonly handler: (deps: AppDependencies, routes: readonly RouteDescription[]) => Handler;
}

/** What any request may be answered with, whatever it is for. */
export const COMMON_PROBLEMS = [
  "malformed-request",
  "unknown-parameter",
  "request-timeout",
  "headers-too-large",
  "overloaded",
  "internal",
] as const satisfies readonly ProblemSlug[];

/** What is answered to requests that are for no route: by path, and by method. */
export const UNROUTED_PROBLEMS = ["not-found", "method-not-allowed"] as const satisfies readonly ProblemSlug[];

/** A document as `jsonAnswer` gives it. */
export function jsonDocument(description: string, schema: z.ZodType): AnswerDescription {
  return { description, headers: ["Cache-Control"], content: { [JSON_TYPE]: schema } };
}
