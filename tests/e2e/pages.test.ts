import { readFile } from "node:fs/promises";
import { beforeAll, expect, test } from "vitest";
import { type HttpClient, httpClient } from "../harness/http.ts";
import { startStack } from "../harness/stack.ts";

const BROWSER = { headers: { accept: "text/html,application/xhtml+xml,*/*;q=0.8" } };
let client: HttpClient;

beforeAll(async () => {
  client = httpClient((await startStack()).url);
});

test("the built program serves the document that is in the repository", async () => {
  const answer = await client.send("GET", "/openapi.json");
  expect(answer.text).toBe(await readFile("docs/openapi.json", "utf8"));
});

test("the docs page and all that it loads come from the program, to be kept for ever", async () => {
  const { text } = await client.send("GET", "/docs", BROWSER);
  const files = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? "");
  expect(files).toHaveLength(4);
  for (const file of files) {
    const whole = await client.send("GET", file);
    expect([whole.status, whole.headers["cache-control"]]).toEqual([200, "public, max-age=31536000, immutable"]);
    expect(whole.headers["content-length"]).toBe(String(whole.body.byteLength));
    const head = await client.send("HEAD", file);
    expect([head.status, head.headers["content-length"]]).toEqual([200, whole.headers["content-length"]]);
    const headers = { "if-none-match": String(whole.headers.etag) };
    expect((await client.send("GET", file, { headers })).status).toBe(304);
  }
});

test("the type of a problem leads to a page for people and a document for programs", async () => {
  const problem = JSON.parse((await client.get("n", "missing")).text) as { type: string; title: string };
  const page = await client.send("GET", problem.type, BROWSER);
  expect([page.status, page.headers["content-type"]]).toEqual([200, "text/html; charset=utf-8"]);
  expect(page.text).toContain(problem.title);
  const document = await client.send("GET", problem.type);
  expect(JSON.parse(document.text)).toMatchObject({ type: problem.type, title: problem.title, status: 404 });
});
