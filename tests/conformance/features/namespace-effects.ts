import assert from "node:assert/strict";
import type { Answer } from "../../harness/http.ts";
import { waitFor } from "../../harness/wait-for.ts";
import { hasHeaders, hasStatus, isAccepted, isProblem, jsonOf, WAIT } from "../assertions.ts";
import { each, feature } from "../feature.ts";
import { inNamespace, patchSettings, putSettings, settingsOf, settingsPath } from "../own-namespaces.ts";
import type { Subject } from "../subject.ts";

const usage = async ({ send }: Subject, namespace: string) =>
  jsonOf(await send("GET", settingsPath(namespace))).usage as { readonly keys: number; readonly bytes: number };

/** Settings are in effect in every process within about a second; a write may come to any of them. */
const IN_A_ROW = 10;
async function untilInEffect(write: () => Promise<Answer>, isSo: (answer: Answer) => boolean): Promise<void> {
  await waitFor(
    async () => {
      for (let n = 0; n < IN_A_ROW; n += 1) if (!isSo(await write())) return false;
      return true;
    },
    { what: "settings in effect" },
  );
}

export const namespaceEffects = feature("effects", "writes of a namespace go by its settings", {
  "who prefers nothing waits as the namespace says; what a client prefers wins": (subject) =>
    inNamespace(subject, async (namespace) => {
      const { put, increment } = subject;
      isAccepted(await put(namespace, "k", "v"));
      hasStatus(await putSettings(subject, namespace, { wait: 10 }), 201);
      await untilInEffect(
        () => put(namespace, "k", "v"),
        ({ status }) => status === 204,
      );
      const waited = await put(namespace, "k", "v");
      assert.equal(waited.headers["preference-applied"], undefined);
      hasStatus(await increment(namespace, "count"), 200);
      const atOnce = await put(namespace, "k", "v", { headers: { prefer: "respond-async" } });
      isAccepted(atOnce);
      hasHeaders(atOnce, { "preference-applied": "respond-async" });
      const own = await put(namespace, "k", "v", { headers: { prefer: "wait=9" } });
      hasStatus(own, 204);
      hasHeaders(own, { "preference-applied": "wait=9" });
    }),

  ...each(
    ["memory", "replicated", "disk"],
    (grade) => `writes get the namespace's grade ${grade}, or it is refused as a setting`,
    (subject, grade) =>
      inNamespace(subject, async (namespace) => {
        const answer = await putSettings(subject, namespace, { grade });
        if (answer.status === 400 && grade !== "memory") {
          isProblem(answer, 400, "grade-unavailable");
          isProblem(await patchSettings(subject, namespace, { grade }), 400, "grade-unavailable");
          assert.deepEqual(await settingsOf(subject, namespace), {});
          return;
        }
        hasStatus(answer, 201);
        await untilInEffect(
          () => subject.put(namespace, "k", "v"),
          ({ headers }) => headers["millrace-grade"] === grade,
        );
      }),
  ),

  ...each(
    [{ keys: 3 }, { bytes: 6 }],
    (quota) => `a namespace at its quota ${JSON.stringify(quota)} takes what shrinks it, and only that`,
    (subject, quota) =>
      inNamespace(subject, async (namespace) => {
        const { put, increment, remove, commit } = subject;
        hasStatus(await putSettings(subject, namespace, { quota }), 201);
        for (const key of ["a", "b", "c"]) hasStatus(await put(namespace, key, "v", { headers: WAIT }), 201);
        await untilInEffect(
          () => put(namespace, "a", "v"),
          ({ status }) => status === 403,
        );
        isProblem(await put(namespace, "d", "v"), 403, "quota-exceeded");
        isProblem(await increment(namespace, "n"), 403, "quota-exceeded");
        isProblem(
          await commit(namespace, [{ op: "put", key: "d", value: "v" }], [], { headers: WAIT }),
          403,
          "quota-exceeded",
        );
        assert.equal((await usage(subject, namespace)).keys, 3);
        for (const key of ["a", "b", "c"]) hasStatus(await remove(namespace, key, { headers: WAIT }), 204);
        assert.deepEqual(await usage(subject, namespace), { keys: 0, bytes: 0 });
        await untilInEffect(
          () => put(namespace, "a", ""),
          ({ status }) => status === 202,
        );
      }),
  ),
});
