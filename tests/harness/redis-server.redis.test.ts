import { existsSync } from "node:fs";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findFreePort } from "../../infra/local/ports.ts";
import { type RedisServer, startRedis } from "./redis-server.ts";

describe("a Redis server of a test", () => {
  let server: RedisServer;
  let client: Redis;
  beforeEach(async () => {
    server = await startRedis();
    client = new Redis(server.url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
    client.on("error", () => undefined);
  });
  afterEach(async () => {
    client.disconnect();
    await server.kill();
  });

  it("has the settings of the log", async () => {
    expect(await client.config("GET", "appendonly", "save", "maxmemory-policy")).toEqual(
      expect.arrayContaining(["appendonly", "yes", "save", "", "maxmemory-policy", "noeviction"]),
    );
  });

  it("keeps its data over stop and restart, on the same port, as another process", async () => {
    await client.set("a", "1");
    const { pid, port } = server;
    await server.restart();
    expect(await client.get("a")).toBe("1");
    expect(server.port).toBe(port);
    expect(server.pid).not.toBe(pid);
  });

  it("keeps what it has answered over a kill", async () => {
    await client.set("a", "1");
    await server.kill();
    expect(server.running).toBe(false);
    await server.restart();
    expect(await client.get("a")).toBe("1");
  });

  it("comes back empty from a wipe", async () => {
    await client.set("a", "1");
    await server.wipe();
    expect(await client.get("a")).toBeNull();
  });

  it("answers nothing while paused, and goes on when resumed", async () => {
    server.pause();
    const pending = client.set("a", "1");
    const early = await Promise.race([pending, new Promise((resolve) => setTimeout(resolve, 100, "silence"))]);
    expect(early).toBe("silence");
    server.resume();
    expect(await pending).toBe("OK");
  });

  it("can be stopped while paused", async () => {
    server.pause();
    await server.stop();
    expect(server.running).toBe(false);
  });

  it("takes more settings, and other ones at a restart", async () => {
    const store = await startRedis({ kind: "store", args: ["--maxmemory", "50mb"] });
    expect(existsSync(store.dir)).toBe(true);
    const other = new Redis(store.url);
    expect(await other.config("GET", "maxmemory")).toEqual(["maxmemory", "52428800"]);
    await store.restart(["--maxmemory", "60mb"]);
    expect(await other.config("GET", "maxmemory")).toEqual(["maxmemory", "62914560"]);
    other.disconnect();
  });

  it("says why it does not start", async () => {
    await expect(startRedis({ args: ["--no-such-setting", "1"] })).rejects.toThrow("no-such-setting");
    await expect(startRedis({ port: server.port })).rejects.toThrow("Address already in use");
    expect(await findFreePort()).not.toBe(server.port);
  });
});
