/** A server that comes back with the files it had before: as after a promotion of a replica that lacked the last writes. */
import { cp, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RedisServer } from "./redis-server.ts";
import { cleanUpLater } from "./running.ts";

/** Takes a copy of a server's files now, and returns how to put it back: the server forgets all that came after. */
export async function remember(server: RedisServer): Promise<() => Promise<void>> {
  const copy = await mkdtemp(join(tmpdir(), "millrace-copy-"));
  cleanUpLater(() => rm(copy, { recursive: true, force: true }));
  await server.stop();
  await cp(server.dir, copy, { recursive: true });
  await server.restart();
  return async () => {
    await server.kill();
    for (const name of await readdir(server.dir)) await rm(join(server.dir, name), { recursive: true });
    await cp(copy, server.dir, { recursive: true });
    await server.restart();
  };
}
