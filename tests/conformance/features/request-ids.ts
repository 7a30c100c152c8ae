import assert from "node:assert/strict";
import { hasHeaders, hasStatus, isProblem, WAIT } from "../assertions.ts";
import { each, feature } from "../feature.ts";

export const requestIds = feature("ids", "a request keeps the id that its client gave it", {
  ...each(
    ["test-1", "a".repeat(128), "0.1_B-2"],
    (id) => `${id.slice(0, 20)} (${id.length} characters) stands in the answer, and in a problem's body`,
    async ({ namespace, put, get, newKey }, id) => {
      const key = newKey();
      const headers = { "x-request-id": id };
      hasHeaders(await put(namespace, key, "v", { headers: { ...headers, ...WAIT } }), { "x-request-id": id });
      hasHeaders(await get(namespace, key, { headers }), { "x-request-id": id });
      assert.equal(isProblem(await get(namespace, newKey(), { headers }), 404, "key-not-found").requestId, id);
    },
  ),

  ...each(
    ["with space", "a".repeat(129), "<script>", "a,b", ""],
    (id) => `${JSON.stringify(id.slice(0, 20))} (${id.length} characters) is not repeated: a problem gets another`,
    async ({ namespace, get, newKey }, id) => {
      const answer = await get(namespace, newKey(), { headers: { "x-request-id": id } });
      assert.notEqual(isProblem(answer, 404, "key-not-found").requestId, id);
    },
  ),

  "two problems that nobody has named have two ids": async ({ namespace, get, newKey }) => {
    const [one, other] = [await get(namespace, newKey()), await get(namespace, newKey())];
    hasStatus(one, 404);
    assert.notEqual(one.headers["x-request-id"], other.headers["x-request-id"]);
  },
});
