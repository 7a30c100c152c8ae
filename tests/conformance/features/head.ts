import assert from "node:assert/strict";
import { hasStatus, revisionOf, WAIT } from "../assertions.ts";
import { each, feature } from "../feature.ts";
import type { Subject } from "../subject.ts";

/** Paths and what GET answers there; `{namespace}/{key}` is a value that is there, `{id}` the command that wrote it. */
const GETS: readonly (readonly [path: string, status: number])[] = [
  ["/v1/kv/{namespace}/{key}", 200],
  ["/v1/kv/{namespace}/{key}-not", 404],
  ["/v1/kv/{namespace}/{key}?colour=red", 400],
  ["/v1/kv/{namespace}/{long}", 414],
  ["/v1/commands/{id}", 200],
  ["/v1/commands/00-1-1", 404],
  ["/v1/commands/nonsense", 400],
  ["/v1/dead-letters?namespace={namespace}", 200],
  ["/v1/dead-letters?limit=0", 400],
  ["/v1/dead-letters/00-1-1", 404],
  ["/v1/dead-letters/nonsense", 400],
  ["/v1/partitions", 200],
  ["/v1/partitions?colour=red", 400],
  ["/v1/partitions/0", 200],
  ["/v1/partitions/0?colour=red", 400],
  ["/v1/partitions/x", 404],
  ["/nowhere", 404],
];

export const head = feature("head", "HEAD is GET without the body (RFC 9110, 9.3.2)", {
  ...each(
    GETS,
    ([path, status]) => `HEAD ${path} is ${status}`,
    async (subject, [template, status]) => {
      const path = await fill(subject, template);
      const headers = { "x-request-id": "the-same" };
      const got = await subject.send("GET", path, { headers });
      const answer = await subject.send("HEAD", path, { headers });
      hasStatus(got, status);
      hasStatus(answer, status);
      assert.equal(answer.body.byteLength, 0);
      // What is told of partitions is another thing a moment later, and as long as it is.
      const still = path.startsWith("/v1/partitions") ? { "content-length": "" } : {};
      const names = Object.keys({ ...got.headers, ...still });
      assert.deepEqual(
        Object.keys(answer.headers).filter((name) => names.includes(name)),
        Object.keys(answer.headers),
      );
      for (const [name, value] of Object.entries(got.headers)) {
        if (["date", "transfer-encoding"].includes(name) || name in still || answer.headers[name] === undefined)
          continue;
        assert.equal(answer.headers[name], value, name);
      }
      assert.equal(answer.headers["content-type"], got.headers["content-type"]);
    },
  ),

  "HEAD with the present revision is 304, as GET is": async (subject) => {
    const path = await fill(subject, "/v1/kv/{namespace}/{key}");
    const { etag = "" } = (await subject.send("HEAD", path)).headers;
    const same = await subject.send("HEAD", path, { headers: { "if-none-match": etag } });
    assert.deepEqual([same.status, same.headers.etag], [304, etag]);
  },
});

async function fill({ namespace, put, newKey }: Subject, template: string): Promise<string> {
  const key = newKey();
  const id = revisionOf(await put(namespace, key, "value", { headers: WAIT }));
  const long = "k".repeat(1025);
  return template.replace("{namespace}", namespace).replace("{key}", key).replace("{id}", id).replace("{long}", long);
}
