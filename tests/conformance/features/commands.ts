import assert from "node:assert/strict";
import { hasHeaders, hasStatus, includes, isAccepted, isProblem, jsonOf, WAIT } from "../assertions.ts";
import { each, feature } from "../feature.ts";

export const commands = feature("commands", "what became of a command is told under its id", {
  "an increment with its result": async ({ namespace, increment, command, newKey }) => {
    const key = newKey();
    const revision = isAccepted(await increment(namespace, key, "5"));
    const told = await command(revision, 10);
    hasStatus(told, 200);
    hasHeaders(told, {
      "content-type": "application/json",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    });
    const status = jsonOf(told);
    includes(status, { id: revision, status: "applied", namespace, key, operation: "increment" });
    assert.ok(!Number.isNaN(Date.parse(String(status.acceptedAt))));
  },

  "a put and a deletion with what they did": async ({ namespace, put, remove, command, newKey }) => {
    const key = newKey();
    const written = isAccepted(await put(namespace, key, "v"));
    const removed = isAccepted(await remove(namespace, key));
    includes(jsonOf(await command(written, 10)), { status: "applied", operation: "put" });
    includes(jsonOf(await command(removed, 10)), { status: "applied", operation: "delete" });
  },

  "one that was refused, with the reason": async ({ namespace, put, increment, command, newKey }) => {
    const key = newKey();
    await put(namespace, key, "text", { headers: WAIT });
    const revision = isAccepted(await increment(namespace, key));
    includes(jsonOf(await command(revision, 10)), { status: "rejected", result: { reason: "not-an-integer" } });
    // Kept: it is told again.
    includes(jsonOf(await command(revision)), { status: "rejected", result: { reason: "not-an-integer" } });
  },

  "one whose client waited, too": async ({ namespace, put, command, newKey }) => {
    const { headers } = await put(namespace, newKey(), "v", { headers: WAIT });
    includes(jsonOf(await command(String(headers["millrace-revision"]))), { status: "applied" });
  },

  "with the trace it belongs to": async ({ namespace, put, command, newKey }) => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const revision = isAccepted(await put(namespace, newKey(), "v", { headers: { traceparent } }));
    includes(jsonOf(await command(revision)), { traceId: "0af7651916cd43dd8448eb211c80319c" });
  },

  ...each(
    ["nonsense", "00-1", "9999-1-1", "00-1-1-1", "%00"],
    (id) => `${id} is no id`,
    async ({ send }, id) => {
      isProblem(await send("GET", `/v1/commands/${id}`), 400, "invalid-revision");
    },
  ),

  "one that never was is not found": async ({ namespace, put, command, newKey }) => {
    const revision = isAccepted(await put(namespace, newKey(), "v", {}));
    isProblem(await command(revision.replace(/\d+$/, "999999")), 404, "command-not-found");
  },

  ...each(
    ["x", "-1", "1.5", ""],
    (wait) => `wait=${wait} is refused`,
    async ({ send }, wait) => {
      isProblem(await send("GET", `/v1/commands/00-1-1?wait=${wait}`), 400, "invalid-parameter");
    },
  ),
});
