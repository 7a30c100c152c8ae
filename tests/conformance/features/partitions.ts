import assert from "node:assert/strict";
import { hasHeaders, hasStatus, isProblem, jsonOf, revisionOf, WAIT } from "../assertions.ts";
import { each, feature } from "../feature.ts";

export const partitions = feature("partitions", "how each partition stands is told", {
  "all of them in order, with watermark, backlog, owner and state": async ({ send }) => {
    const answer = await send("GET", "/v1/partitions");
    hasStatus(answer, 200);
    hasHeaders(answer, { "content-type": "application/json", "cache-control": "no-store" });
    const all = JSON.parse(answer.text) as Record<string, unknown>[];
    assert.deepEqual(
      all.map(({ partition }) => partition),
      all.map((_, index) => index),
    );
    for (const one of all) {
      assert.equal(typeof one.backlog, "number");
      assert.equal(typeof one.state, "string");
    }
  },

  "one of them, whose watermark has passed what was applied": async ({ namespace, put, send, newKey }) => {
    const revision = revisionOf(await put(namespace, newKey(), "v", { headers: WAIT }));
    const [partition = "", ms = ""] = revision.split("-");
    const answer = await send("GET", `/v1/partitions/${Number(partition)}`);
    hasStatus(answer, 200);
    const one = jsonOf(answer);
    assert.ok(Number(String(one.watermark).split("-")[1]) >= Number(ms));
    assert.ok(Array.isArray(one.losses));
  },

  ...each(
    ["99999", "x", "-1", "1.5"],
    (n) => `there is no partition ${n}`,
    async ({ send }, n) => {
      isProblem(await send("GET", `/v1/partitions/${n}`), 404, "not-found");
    },
  ),

  "no loss is accepted where nothing is lost, nor without saying which": async ({ send }) => {
    isProblem(await send("POST", "/v1/partitions/0/accept-loss"), 400, "invalid-parameter");
    isProblem(await send("POST", "/v1/partitions/0/accept-loss?confirm=1-1_0-0_1-0"), 409, "nothing-lost");
    isProblem(await send("POST", "/v1/partitions/99999/accept-loss?confirm=x"), 404, "not-found");
  },
});
