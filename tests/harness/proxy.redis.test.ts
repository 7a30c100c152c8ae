import { Redis } from "ioredis";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type RedisProxy, startProxy } from "./proxy.ts";
import { type RedisServer, startRedis } from "./redis-server.ts";
import { waitFor } from "./wait-for.ts";

describe("the proxy", () => {
  let server: RedisServer;
  let direct: Redis;
  let proxy: RedisProxy;
  let client: Redis;
  beforeAll(async () => {
    server = await startRedis();
    direct = new Redis(server.url);
    return () => direct.disconnect();
  });
  beforeEach(async () => {
    await direct.flushall();
    proxy = await startProxy(server);
    client = new Redis(proxy.url, {
      retryStrategy: () => 20,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
    });
    client.on("error", () => undefined);
    await client.ping();
  });
  afterEach(async () => {
    client.disconnect();
    await proxy.close();
  });

  it("is not noticed when nothing is asked of it", async () => {
    const big = "x".repeat(5_000_000);
    await client.set("big", big);
    expect(await client.get("big")).toBe(big);
  });

  it("cuts before a request: the server has not seen it", async () => {
    const hook = proxy.onRequest("needle", "cut");
    await client.set("other", "1");
    await expect(client.set("needle", "1")).rejects.toThrow();
    await hook.fired;
    expect(await direct.get("needle")).toBeNull();
  });

  it("cuts before a reply: the server has done it, and the client does not know", async () => {
    const hook = proxy.onReply("needle", async () => {
      expect(await direct.get("needle")).toBe("1");
      return "cut";
    });
    await expect(client.set("needle", "1")).rejects.toThrow();
    await hook.fired;
  });

  it("strikes once", async () => {
    const hook = proxy.onRequest("needle", "cut");
    await expect(client.set("needle", "1")).rejects.toThrow();
    await hook.fired;
    await waitFor(() => client.status === "ready");
    expect(await client.set("needle", "2")).toBe("OK");
  });

  it("drops a request and leaves the connection open", async () => {
    const hook = proxy.onRequest("needle", "drop");
    const lost = client.set("needle", "1");
    const outcome = Promise.race([lost, hook.fired.then(() => "dropped")]);
    expect(await outcome).toBe("dropped");
    expect(client.status).toBe("ready");
    proxy.cutAll();
    await expect(lost).rejects.toThrow();
    expect(await direct.get("needle")).toBeNull();
  });

  it("finds a text on the border of two chunks", async () => {
    const hook = proxy.onRequest("needle", "cut");
    client.stream.write("*2\r\n$3\r\nGET\r\n$6\r\nnee");
    await new Promise((resolve) => setTimeout(resolve, 50));
    client.stream.write("dle\r\n");
    await hook.fired;
  });

  it("holds the bytes while frozen and passes them on after", async () => {
    proxy.freeze();
    const pending = client.set("a", "1");
    const early = await Promise.race([pending, new Promise((resolve) => setTimeout(resolve, 100, "silence"))]);
    expect(early).toBe("silence");
    expect(await direct.get("a")).toBeNull();
    proxy.thaw();
    expect(await pending).toBe("OK");
  });

  it("refuses new connections until it accepts again, on the same port", async () => {
    await proxy.refuse();
    expect(await client.ping()).toBe("PONG");
    proxy.cutAll();
    const refused = new Redis(proxy.url, { retryStrategy: () => null, lazyConnect: true });
    refused.on("error", () => undefined);
    await expect(refused.connect()).rejects.toThrow();
    expect(proxy.connections()).toBe(0);
    await proxy.accept();
    await waitFor(() => client.status === "ready");
    expect(await client.ping()).toBe("PONG");
  });

  it("a reply hook can kill the server before the client hears of its write", async () => {
    const hook = proxy.onReply("needle", async () => {
      await server.kill();
      return "cut";
    });
    await expect(client.set("needle", "1")).rejects.toThrow();
    await hook.fired;
    await server.restart();
    await waitFor(async () => (await direct.get("needle")) === "1");
  });
});
