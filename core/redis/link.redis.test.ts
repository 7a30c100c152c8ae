import { afterAll, expect, test } from "vitest";
import { inTime } from "../../tests/harness/in-time.ts";
import { startRedis } from "../../tests/harness/redis-server.ts";
import { waitFor } from "../../tests/harness/wait-for.ts";
import { openGroup } from "./group.ts";
import { Link } from "./link.ts";
import { parseRedisUrl } from "./url.ts";

const links: Link[] = [];
afterAll(() => {
  for (const link of links) link.close();
});

async function open(url: string): Promise<Link> {
  const link = new Link(openGroup(parseRedisUrl(url), "test"), "writer", "test");
  links.push(link);
  await new Promise<void>((resolve) => link.open(resolve, () => undefined));
  return link;
}

test("a connection that was killed, or whose server was, comes back by itself, and repeats nothing", async () => {
  const server = await startRedis();
  const link = await open(server.url);
  const admin = await open(server.url);
  await link.call({ name: "INCR", args: ["n"] });
  await admin.call({ name: "CLIENT", args: ["KILL", "TYPE", "normal", "SKIPME", "yes"] });
  await waitFor(() => link.ready && admin.ready);
  const frozen = (async () => {
    server.pause();
    return link.call({ name: "INCR", args: ["n"] });
  })();
  await expect(frozen).rejects.toThrow();
  server.resume();
  await waitFor(() => link.ready);
  await server.kill();
  await expect(link.call({ name: "INCR", args: ["n"] })).rejects.toThrow();
  await server.restart();
  await waitFor(() => link.ready);
  // 1, and perhaps the one that the frozen server found in its socket: never more, the client repeats nothing.
  expect(Number(String(await link.call({ name: "GET", args: ["n"] })))).toBeLessThanOrEqual(2);
});

test("a call while there is no connection is refused at once, and known not to have happened", async () => {
  const link = new Link(openGroup(parseRedisUrl("redis://127.0.0.1:1"), "test"), "writer", "test");
  links.push(link);
  link.open(
    () => undefined,
    () => undefined,
  );
  await inTime(200, () => expect(link.call({ name: "PING", args: [] })).rejects.toThrow());
});
