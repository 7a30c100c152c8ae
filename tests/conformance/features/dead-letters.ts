import assert from "node:assert/strict";
import { hasHeaders, hasStatus, isProblem, jsonOf } from "../assertions.ts";
import { each, feature } from "../feature.ts";

const ROOT = "/v1/dead-letters";
const WRONG_FILTERS = [
  "partition=x",
  "partition=99999",
  "since=never",
  "limit=0",
  "limit=x",
  "cursor=x",
  "limit=1&limit=2",
];

/** No command can be made to fail over HTTP alone: what is settled here are letters that are not there. */
export const deadLetters = feature("letters", "dead letters can be looked at, and what is not there is not settled", {
  "they are listed, with how many there are": async ({ namespace, send }) => {
    const answer = await send("GET", `${ROOT}?namespace=${namespace}`);
    hasStatus(answer, 200);
    hasHeaders(answer, { "content-type": "application/json", "cache-control": "no-store" });
    const list = jsonOf(answer);
    assert.deepEqual([list.letters, list.cursor, list.complete], [[], null, true]);
    assert.ok(Array.isArray(list.partitions));
  },

  "every filter is taken": async ({ namespace, send }) => {
    const filter = `namespace=${namespace}&prefix=a&reason=x&partition=0&since=2020-01-01T00:00:00Z&until=2030-01-01T00:00:00Z&limit=5`;
    hasStatus(await send("GET", `${ROOT}?${filter}`), 200);
    hasStatus(await send("GET", `${ROOT}?namespace=${namespace}&key=k`), 200);
  },

  ...each(
    WRONG_FILTERS,
    (filter) => `the filter ${filter} is refused`,
    async ({ send }, filter) => {
      isProblem(await send("GET", `${ROOT}?${filter}`), 400, "invalid-parameter");
    },
  ),

  "one that never was is not found, whatever is asked of it": async ({ send }) => {
    isProblem(await send("GET", `${ROOT}/00-1-1`), 404, "dead-letter-not-found");
    isProblem(await send("DELETE", `${ROOT}/00-1-1`), 404, "dead-letter-not-found");
    isProblem(await send("POST", `${ROOT}/00-1-1/replay`), 404, "dead-letter-not-found");
  },

  "what is no id is told": async ({ send }) => {
    isProblem(await send("GET", `${ROOT}/nonsense`), 400, "invalid-revision");
    isProblem(await send("DELETE", `${ROOT}/nonsense`), 400, "invalid-revision");
    isProblem(await send("POST", `${ROOT}/nonsense/replay`), 400, "invalid-revision");
  },

  "a dry run of a replay, and of a discard, counts and changes nothing": async ({ namespace, send }) => {
    for (const [method, path] of [
      ["POST", `${ROOT}/replay?namespace=${namespace}&dry_run=true`],
      ["DELETE", `${ROOT}?namespace=${namespace}&dry_run=true`],
    ] as const) {
      const answer = await send(method, path);
      hasStatus(answer, 200);
      const report = jsonOf(answer);
      assert.deepEqual([report.dryRun, report.matched, report.letters], [true, 0, []]);
    }
  },

  "nothing that is selected is nothing that is settled": async ({ namespace, send }) => {
    hasStatus(await send("POST", `${ROOT}/replay?namespace=${namespace}`), 200);
    hasStatus(await send("DELETE", `${ROOT}?namespace=${namespace}`), 200);
  },

  "a forgotten filter does not discard everything": async ({ send }) => {
    isProblem(await send("DELETE", ROOT), 400, "invalid-parameter");
  },

  "a flag is true or false": async ({ namespace, send }) => {
    isProblem(await send("POST", `${ROOT}/replay?namespace=${namespace}&force=yes`), 400, "invalid-parameter");
    isProblem(await send("POST", `${ROOT}/00-1-1/replay?force=1`), 400, "invalid-parameter");
    isProblem(await send("DELETE", `${ROOT}?namespace=${namespace}&dry_run=maybe`), 400, "invalid-parameter");
  },
});
