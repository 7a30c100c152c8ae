import assert from "node:assert/strict";
import { hasHeaders, hasStatus, isProblem } from "../assertions.ts";
import { each, feature } from "../feature.ts";

/** What the server says of itself. */
const PAGES = ["/openapi.json", "/docs", "/problems", "/problems/key-not-found"];

export const documents = feature(
  "documents",
  "the contract is served by the server itself",
  {
    ...each(
      PAGES,
      (path) => `${path} is there, revalidated by its ETag, and takes no parameters`,
      async ({ send }, path) => {
        for (const method of ["GET", "HEAD"]) {
          const page = await send(method, path);
          hasStatus(page, 200);
          hasHeaders(page, { etag: /^(W\/)?"/, "x-content-type-options": "nosniff" });
          const same = await send(method, path, { headers: { "if-none-match": page.headers.etag ?? "" } });
          assert.deepEqual([same.status, same.body.byteLength], [304, 0]);
          hasStatus(await send(method, `${path}?colour=red`), 400);
        }
      },
    ),

    "every file that the documentation's page names comes from this server": async ({ send }) => {
      const page = await send("GET", "/docs");
      const files = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? "");
      assert.ok(files.length > 0);
      for (const file of files) {
        const path = new URL(file, "http://here/docs").pathname;
        assert.ok(!/^[a-z]+:|^\/\//i.test(file), `${file} is of another host`);
        for (const method of path.startsWith("/docs/") ? ["GET", "HEAD"] : []) {
          const got = await send(method, path);
          hasStatus(got, 200);
          hasStatus(await send(method, path, { headers: { "if-none-match": got.headers.etag ?? "" } }), 304);
          hasStatus(await send(method, `${path}?colour=red`), 400);
        }
      }
    },

    "a file or a problem that is not there is not found": async ({ send }) => {
      for (const path of ["/docs/nothing.js", "/problems/nothing"]) {
        isProblem(await send("GET", path), 404, "not-found");
        hasStatus(await send("HEAD", path), 404);
      }
    },

    "the type of a problem is where it is explained": async ({ namespace, get, send, newKey }) => {
      const { type } = JSON.parse((await get(namespace, newKey())).text) as { type: string };
      hasStatus(await send("GET", type), 200);
    },
  },
  { where: "/openapi.json" },
);
