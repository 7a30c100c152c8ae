import { describe, expect, test } from "vitest";
import { accepted, httpClient, WAIT } from "../harness/http.ts";
import { readLog } from "../harness/log-reader.ts";
import { startRedis } from "../harness/redis-server.ts";
import { JSON_BODY, setNamespace } from "../harness/settings.ts";
import { startStack } from "../harness/stack.ts";
import { waitFor } from "../harness/wait-for.ts";

const PARTITIONS = 2;

async function start(appendfsync: "always" | "everysec") {
  const log = await startRedis({ kind: "log", args: ["--appendfsync", appendfsync] });
  const stack = await startStack({ partitions: PARTITIONS, reach: async () => ({ log }) });
  const client = httpClient(stack.url);
  const put = (grade?: string, namespace = "n") =>
    client.put(namespace, "k", "v", grade === undefined ? {} : { headers: { "millrace-grade": grade } });
  return { log, client, put };
}

describe("a log of one server that syncs now and then", () => {
  test("gives memory, says so, and refuses a grade it can never give, before anything is accepted", async () => {
    const { log, client, put } = await start("everysec");
    for (const grade of [undefined, "memory"]) {
      const answer = await put(grade);
      accepted(answer);
      expect(answer.headers["millrace-grade"]).toBe("memory");
    }
    for (const grade of ["replicated", "disk"]) {
      const answer = await put(grade);
      expect([answer.status, answer.text]).toEqual([400, expect.stringContaining("/problems/grade-unavailable")]);
    }
    for (const grade of ["replicated", "disk"]) {
      const answer = await client.send("PUT", "/v1/namespaces/n", { headers: JSON_BODY, body: `{"grade":"${grade}"}` });
      expect([answer.status, answer.text]).toEqual([400, expect.stringContaining("/problems/grade-unavailable")]);
    }
    for (const grade of ["paper", "", "Memory", "memory, disk"]) {
      const answer = await put(grade);
      expect([answer.status, answer.text]).toEqual([400, expect.stringContaining("/problems/invalid-grade")]);
    }
    expect(await readLog(log, PARTITIONS).all()).toHaveLength(2);
  });
});

describe("a log of one server that syncs every write", () => {
  test("gives disk: what was accepted at that grade is there after kill -9", async () => {
    const { log, client, put } = await start("always");
    const answer = await put("disk");
    accepted(answer);
    expect(answer.headers["millrace-grade"]).toBe("disk");
    await log.kill();
    await log.restart();
    expect(await readLog(log, PARTITIONS).all()).toHaveLength(1);
    const again = await client.put("n", "k", "v2", { headers: { "millrace-grade": "disk", ...WAIT.headers } });
    expect(again.headers["millrace-grade"]).toBe("disk");
  });

  test("gives a namespace the grade of its settings, and a request the one it asks for", async () => {
    const { client, put } = await start("always");
    await setNamespace(client, "safe", { grade: "disk" });
    await waitFor(async () => (await put(undefined, "safe")).headers["millrace-grade"] === "disk");
    expect((await put("memory", "safe")).headers["millrace-grade"]).toBe("memory");
    expect((await put(undefined, "plain")).headers["millrace-grade"]).toBe("memory");
  });
});
