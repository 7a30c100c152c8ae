import assert from "node:assert/strict";
import { hasStatus, isAccepted, isProblem, revisionOf, WAIT } from "../assertions.ts";
import { each, feature } from "../feature.ts";

export const revisions = feature(
  "revisions",
  "a revision names a moment of a key, and a read never answers older than the one it is given",
  {
    "each write of a key has a higher one than the write before": async ({ namespace, put, newKey }) => {
      const key = newKey();
      let before = [0n, 0n];
      for (let n = 0; n < 20; n += 1) {
        const [, ms = "", sequence = ""] = revisionOf(await put(namespace, key, `${n}`)).split("-");
        const now = [BigInt(ms), BigInt(sequence)];
        assert.ok((now[0] ?? 0n) > (before[0] ?? 0n) || (now[0] === before[0] && (now[1] ?? 0n) > (before[1] ?? 0n)));
        before = now;
      }
    },

    "the write, its ETag, its status and the value read name the same": async ({
      namespace,
      put,
      get,
      command,
      newKey,
    }) => {
      const key = newKey();
      const revision = isAccepted(await put(namespace, key, "v"));
      const got = await get(namespace, key, { headers: { "millrace-min-revision": revision } });
      assert.deepEqual([revisionOf(got), got.headers.etag], [revision, `"${revision}"`]);
      assert.equal((JSON.parse((await command(revision)).text) as { id: string }).id, revision);
    },

    "100 writes nobody waited for are each read at once": async ({ namespace, put, get, newKey }) => {
      await Promise.all(
        Array.from({ length: 10 }, async () => {
          const key = newKey();
          for (let n = 0; n < 10; n += 1) {
            const revision = isAccepted(await put(namespace, key, `${n}`));
            const got = await get(namespace, key, { headers: { "millrace-min-revision": revision } });
            assert.deepEqual([got.status, got.text], [200, `${n}`]);
          }
        }),
      );
    },

    "a deletion is read at once too": async ({ namespace, put, get, remove, newKey }) => {
      const key = newKey();
      await put(namespace, key, "v", { headers: WAIT });
      const revision = isAccepted(await remove(namespace, key));
      isProblem(await get(namespace, key, { headers: { "millrace-min-revision": revision } }), 404, "key-not-found");
    },

    "several may be given, in quotes or not; those of other partitions say nothing": async (subject) => {
      const { namespace, put, get, newKey } = subject;
      const key = newKey();
      const all: string[] = [];
      for (let n = 0; n < 8; n += 1) all.push(`"${revisionOf(await put(namespace, newKey(), "v"))}"`);
      all.push(revisionOf(await put(namespace, key, "mine")));
      const got = await get(namespace, key, { headers: { "millrace-min-revision": all.join(", ") } });
      assert.deepEqual([got.status, got.text], [200, "mine"]);
    },

    "one that is not reached in time is told, and nothing older is given": async ({ namespace, put, get, newKey }) => {
      const key = newKey();
      const revision = revisionOf(await put(namespace, key, "v", { headers: WAIT }));
      const future = revision.replace(/-(\d+)-/, (_, ms: string) => `-${Number(ms) + 3_600_000}-`);
      const headers = { "millrace-min-revision": future, prefer: "wait=0" };
      isProblem(await get(namespace, key, { headers }), 503, "revision-not-reached");
    },

    ...each(
      [
        "nonsense",
        "",
        "00",
        "00-1",
        "00-1-1-1",
        "9999-1-1",
        "00-1-1,",
        "-1-1-1",
        "00-99999999999999999999-0",
        Array.from({ length: 65 }, () => "00-1-1").join(","),
      ],
      (text) => `${JSON.stringify(text.length > 40 ? "65 of them" : text)} is refused`,
      async ({ namespace, get, newKey }, text) => {
        isProblem(
          await get(namespace, newKey(), { headers: { "millrace-min-revision": text } }),
          400,
          "invalid-revision",
        );
      },
    ),

    "a replica may be asked, and keeps the minimum revision": async ({ namespace, put, send, newKey }) => {
      const key = newKey();
      const revision = isAccepted(await put(namespace, key, "v"));
      const path = `/v1/kv/${namespace}/${key}?consistency=replica`;
      const got = await send("GET", path, { headers: { "millrace-min-revision": revision } });
      hasStatus(got, 200);
      assert.equal(got.text, "v");
      isProblem(await send("GET", path.replace("replica", "perhaps")), 400, "invalid-parameter");
    },
  },
);
