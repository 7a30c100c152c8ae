import { createServer } from "node:net";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { type ServiceProcess, startApi, startConsumer } from "../harness/process.ts";
import { type RedisServer, startRedis } from "../harness/redis-server.ts";
import { cleanUpLater } from "../harness/running.ts";
import { newTokensFile } from "../harness/tokens.ts";

const starters = { api: startApi, consumer: startConsumer };
const nowhere = { url: "redis://127.0.0.1:1" };

/** Its exit code and all it said. It must end by itself. */
async function outcome(service: ServiceProcess): Promise<{ code: number | null; said: string }> {
  const code = await service.exited;
  return { code, said: service.logs().join("\n") };
}

async function occupiedPort(): Promise<number> {
  const server = createServer();
  cleanUpLater(() => {
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as { port: number }).port;
}

describe.each(["api", "consumer"] as const)("the %s", (kind) => {
  const start = starters[kind];
  let log: RedisServer;
  let store: RedisServer;
  let running: ServiceProcess | undefined;
  beforeAll(async () => {
    [log, store] = await Promise.all([startRedis({ kind: "log" }), startRedis({ kind: "store" })]);
  });
  afterEach(() => running?.kill());

  test("tells all faults of its configuration at once, without a secret, and does not start", async () => {
    const env = { LOG_URL: "ftp://user:hunter2@h", STORE_URL: "", MILLRACE_PARTITIONS: "0", OPS_PORT: "high" };
    running = await start({ log: nowhere, store: nowhere, waitReady: false, env });
    const { code, said } = await outcome(running);
    expect(code).toBe(1);
    for (const variable of Object.keys(env)) expect(said).toContain(variable);
    expect(said).not.toContain("hunter2");
    expect(said).not.toMatch(/\bat .*\.js:\d+/);
  });

  test.each(kind === "api" ? ["PORT", "OPS_PORT"] : ["OPS_PORT"])("says which port is in use: %s", async (variable) => {
    const port = await occupiedPort();
    running = await start({ log, store, waitReady: false, env: { [variable]: String(port) } });
    const { code, said } = await outcome(running);
    expect(code).toBe(1);
    expect(said).toMatch(/in use/i);
    expect(said).toContain(`${variable} ${port}`);
    // It has nothing to give up, and says nothing of what it did not begin.
    const levels = said.split("\n").map((line) => (JSON.parse(line) as { readonly level: string }).level);
    expect(levels.filter((level) => level !== "info")).toEqual(["fatal"]);
  });

  test("refuses data with another number of partitions, and names both", async () => {
    const first = await startConsumer({ log, store, env: { MILLRACE_PARTITIONS: "4" } });
    await first.stop();
    running = await start({ log, store, waitReady: false, env: { MILLRACE_PARTITIONS: "5" } });
    const { code, said } = await outcome(running);
    expect(code).toBe(1);
    expect(said).toMatch(/\b4 partitions.*\b5\b/);
  });
});

describe("the api does not let everybody in by mistake: it does not start", () => {
  const start = async (env: Record<string, string>) => {
    const { code, said } = await outcome(await startApi({ log: nowhere, store: nowhere, waitReady: false, env }));
    expect(code).toBe(1);
    return said;
  };

  test("beyond loopback without tokens, unless that is said in so many words", async () => {
    expect(await start({ MILLRACE_HOST: "0.0.0.0" })).toContain("MILLRACE_ALLOW_ANONYMOUS=true");
    const [log, store] = await Promise.all([startRedis({ kind: "log" }), startRedis({ kind: "store" })]);
    const open = await startApi({ log, store, env: { MILLRACE_HOST: "0.0.0.0", MILLRACE_ALLOW_ANONYMOUS: "true" } });
    expect((await fetch(`${open.url}/v1/partitions`)).status).toBe(200);
    await open.stop();
  });

  test("with tokens, and with everybody", async () => {
    const said = await start({ MILLRACE_TOKENS_FILE: "/tokens.json", MILLRACE_ALLOW_ANONYMOUS: "true" });
    expect(said).toContain("MILLRACE_ALLOW_ANONYMOUS");
  });

  test("with JWTs of whomever, or for whomever", async () => {
    const said = await start({ MILLRACE_JWKS_URL: "https://issuer.test/jwks" });
    for (const variable of ["MILLRACE_JWT_ISSUER", "MILLRACE_JWT_AUDIENCE"]) expect(said).toContain(variable);
  });

  test("with a tokens file that is not there", async () => {
    expect(await start({ MILLRACE_TOKENS_FILE: "/nowhere/tokens.json" })).toContain("ENOENT");
  });

  test("with a tokens file that has faults: all are told, and nothing of what stands in it", async () => {
    const file = await newTokensFile();
    await file.replace('{"tokens":[{"name":"a b","sha256":"hunter2","scopes":[]},{"name":"c"}]}');
    const said = await start(file.env);
    for (const place of ["tokens.0.name", "tokens.0.sha256", "tokens.1.sha256"]) expect(said).toContain(place);
    expect(said).not.toContain("hunter2");
  });
});
