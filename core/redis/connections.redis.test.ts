import { expect, test } from "vitest";
import { openLink } from "../../tests/harness/link.ts";
import { startRedis } from "../../tests/harness/redis-server.ts";
import { cleanUpLater } from "../../tests/harness/running.ts";
import { sentinelUrl, startSentinel } from "../../tests/harness/sentinel.ts";
import { waitFor } from "../../tests/harness/wait-for.ts";
import { openGroup } from "./group.ts";
import { Link } from "./link.ts";
import { parseRedisUrl } from "./url.ts";

test("a Sentinel URL leads to the master that a majority names, and back to it when it was killed", async () => {
  const [master, stranger] = [await startRedis(), await startRedis()];
  const [right, wrong, another] = [master, stranger, master].map(startSentinel);
  const ports = [(await right)?.port ?? 0, (await wrong)?.port ?? 0];
  const group = openGroup(parseRedisUrl(sentinelUrl([...ports, 1])), "test");
  cleanUpLater(() => group.stop());
  await group.start();
  // One says this, one says that, and one is not there.
  await waitFor(() => group.watch?.heard === 2);
  expect(group.quorum()).toMatchObject({ settled: false });

  const link = await openLink(sentinelUrl([...ports, (await another)?.port ?? 0]));
  expect(String(await link.call({ name: "INFO", args: ["server"] }))).toContain(`tcp_port:${master.port}`);
  await master.kill();
  await expect(link.call({ name: "PING", args: [] })).rejects.toThrow();
  await master.restart();
  await waitFor(() => link.ready);
  expect(String(await link.call({ name: "PING", args: [] }))).toBe("PONG");
});

test("what replicas cannot confirm is told as not confirmed, and what no majority stands behind is not sent", async () => {
  const master = await startRedis();
  const sentinels = [await startSentinel(master), await startSentinel(master)];
  const link = await openLink(sentinelUrl(sentinels.map(({ port }) => port)));
  await waitFor(() => link.quorum().settled);
  const count = [{ name: "INCR", args: ["n"] }];
  expect((await link.callTogether(count, "replicated")).unconfirmed).toBe("0 of 1 replicas");

  const replica = await startRedis({ args: ["--replicaof", "127.0.0.1", String(master.port)] });
  await waitFor(async () => (await link.callTogether(count, "replicated")).unconfirmed === null);
  const before = Number(await link.call({ name: "INCR", args: ["n"] }));
  await replica.kill();
  expect((await link.callTogether(count, "replicated")).unconfirmed).toBe("0 of 1 replicas");

  for (const sentinel of sentinels) await sentinel.kill();
  await waitFor(() => !link.quorum().settled);
  await expect(link.callTogether(count, "replicated")).rejects.toMatchObject({ code: "not-settled" });
  expect(Number(await link.call({ name: "INCR", args: ["n"] }))).toBe(before + 2);
});

test("user and password of the URL are used, and a wrong one never becomes a connection", async () => {
  const server = await startRedis();
  const admin = await openLink(server.url);
  await admin.call({ name: "ACL", args: ["SETUSER", "millrace", "on", ">s:e@cret", "~*", "&*", "+@all"] });
  const link = await openLink(`redis://millrace:s%3Ae%40cret@127.0.0.1:${server.port}`);
  expect(String(await link.call({ name: "ACL", args: ["WHOAMI"] }))).toBe("millrace");

  const wrong = new Link(
    openGroup(parseRedisUrl(`redis://millrace:wrong@127.0.0.1:${server.port}`), "test"),
    "writer",
    "test",
  );
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
