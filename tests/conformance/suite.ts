/** The whole suite, in the order in which it is told. Another feature is one file in features/ and one line here. */
import { randomBytes } from "node:crypto";
import { httpClient } from "../harness/http.ts";
import { Exchanges } from "./exchanges.ts";
import type { Feature } from "./feature.ts";
import { authentication } from "./features/authentication.ts";
import { batches } from "./features/batches.ts";
import { commands } from "./features/commands.ts";
import { conditionalWrites } from "./features/conditional-writes.ts";
import { contentTypes } from "./features/content-types.ts";
import { deadLetters } from "./features/dead-letters.ts";
import { documents } from "./features/documents.ts";
import { expiry } from "./features/expiry.ts";
import { grades } from "./features/grades.ts";
import { head } from "./features/head.ts";
import { idempotency } from "./features/idempotency.ts";
import { increments } from "./features/increments.ts";
import { jobs } from "./features/jobs.ts";
import { limits } from "./features/limits.ts";
import { listing } from "./features/listing.ts";
import { malformedRequests } from "./features/malformed-requests.ts";
import { metadata } from "./features/metadata.ts";
import { methods } from "./features/methods.ts";
import { namespaceEffects } from "./features/namespace-effects.ts";
import { namespaces } from "./features/namespaces.ts";
import { partitions } from "./features/partitions.ts";
import { patch } from "./features/patch.ts";
import { preferences } from "./features/preferences.ts";
import { reading } from "./features/reading.ts";
import { requestIds } from "./features/request-ids.ts";
import { revisions } from "./features/revisions.ts";
import { transactions } from "./features/transactions.ts";
import { values } from "./features/values.ts";
import { watching } from "./features/watch.ts";
import { type Subject, subjectOf, type Target } from "./subject.ts";

export const FEATURES: readonly Feature[] = [
  values,
  contentTypes,
  reading,
  head,
  conditionalWrites,
  preferences,
  increments,
  expiry,
  metadata,
  patch,
  listing,
  batches,
  transactions,
  watching,
  idempotency,
  namespaces,
  namespaceEffects,
  jobs,
  revisions,
  commands,
  grades,
  deadLetters,
  partitions,
  limits,
  methods,
  requestIds,
  malformedRequests,
  authentication,
  documents,
];

/** One run of the suite against one server. */
export interface Run {
  readonly exchanges: Exchanges;
  readonly subjectFor: (feature: Feature) => Subject;
  /** Why a feature cannot be tried on this server; null when it can. */
  readonly hindrance: (feature: Feature) => Promise<string | null>;
  /** The server's own description of itself; null where it has none. */
  readonly openapi: () => Promise<unknown>;
}

/** All that this run writes is in namespaces that begin with a random name. */
export function startRun(target: Target): Run {
  const exchanges = new Exchanges();
  const name = `conformance-${randomBytes(5).toString("hex")}`;
  return {
    exchanges,
    subjectFor: ({ slug }) => subjectOf(target, `${name}.${slug}`, exchanges),
    hindrance: async ({ where, withToken }) => {
      if (withToken && target.token === undefined) return "no token was given";
      if (where === undefined) return null;
      const { status } = await httpClient(target.url, { described: false }).send("GET", where);
      return status === 200 ? null : `this server has no ${where}`;
    },
    openapi: async () => {
      const { status, text } = await httpClient(target.url, { described: false }).send("GET", "/openapi.json");
      if (status === 404) return null;
      if (status !== 200) throw new Error(`GET /openapi.json is ${status}`);
      return JSON.parse(text) as unknown;
    },
  };
}
