import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { startChild } from "../../infra/local/child.ts";
import { findFreePort } from "../../infra/local/ports.ts";
import { openLink } from "../../tests/harness/link.ts";
import { startRedis } from "../../tests/harness/redis-server.ts";
import { cleanUpLater, testReaper } from "../../tests/harness/running.ts";
import { waitFor } from "../../tests/harness/wait-for.ts";
import { Link } from "./link.ts";
import { parseRedisUrl } from "./url.ts";

/** A real Sentinel that watches one master. @returns its port */
async function startSentinel(name: string, masterPort: number): Promise<number> {
  const dir = await mkdtemp(join(tmpdir(), "millrace-sentinel-"));
  const port = await findFreePort();
  const file = join(dir, "sentinel.conf");
  await writeFile(
    file,
    `port ${port}\nbind 127.0.0.1\ndir ${dir}\nsentinel monitor ${name} 127.0.0.1 ${masterPort} 1\n`,
  );
  const child = await startChild({ command: "redis-server", args: [file, "--sentinel"], reaper: testReaper() });
  cleanUpLater(async () => {
    await child.stop(1000);
    await rm(dir, { recursive: true, force: true });
  });
  return port;
}

test("a Sentinel URL leads to the master, past a Sentinel that is not there, and back to it when it was killed", async () => {
  const master = await startRedis();
  const port = await startSentinel("main", master.port);
  const link = await openLink(`redis+sentinel://127.0.0.1:1,127.0.0.1:${port}/main`);
  expect(String(await link.call({ name: "INFO", args: ["server"] }))).toContain(`tcp_port:${master.port}`);
  await master.kill();
  await expect(link.call({ name: "PING", args: [] })).rejects.toThrow();
  await master.restart();
  await waitFor(() => link.ready);
  expect(String(await link.call({ name: "PING", args: [] }))).toBe("PONG");
});

test("user and password of the URL are used, and a wrong one never becomes a connection", async () => {
  const server = await startRedis();
  const admin = await openLink(server.url);
  await admin.call({ name: "ACL", args: ["SETUSER", "millrace", "on", ">s:e@cret", "~*", "&*", "+@all"] });
  const link = await openLink(`redis://millrace:s%3Ae%40cret@127.0.0.1:${server.port}`);
  expect(String(await link.call({ name: "ACL", args: ["WHOAMI"] }))).toBe("millrace");

  const wrong = new Link(parseRedisUrl(`redis://millrace:wrong@127.0.0.1:${server.port}`), "writer", "test");
  cleanUpLater(() => wrong.close());
  const fault = new Promise<Error>((resolve) => wrong.open(() => undefined, resolve));
  expect((await fault).message).toMatch(/WRONGPASS/);
  await expect(wrong.call({ name: "PING", args: [] })).rejects.toThrow();
});

test("the database of the URL is used", async () => {
  const server = await startRedis({ args: ["--databases", "4"] });
  const link = await openLink(`${server.url}/3`);
  await link.call({ name: "SET", args: ["k", "v"] });
  expect(await (await openLink(server.url)).call({ name: "GET", args: ["k"] })).toBeNull();
});
