import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, test } from "vitest";
import { type Child, startChild } from "../../infra/local/child.ts";
import { findFreePort } from "../../infra/local/ports.ts";
import { type RedisKind, redisFolder } from "../../infra/local/redis-process.ts";
import { repoRoot } from "../../infra/local/repo-root.ts";
import { newCertificates } from "../harness/certificates.ts";
import { httpClient, WAIT } from "../harness/http.ts";
import { type ProcessOptions, startApi, startConsumer } from "../harness/process.ts";
import { newRedisUsers, type RedisUser, type RedisUsers } from "../harness/redis-users.ts";
import { cleanUpLater, testReaper } from "../harness/running.ts";
import { waitFor } from "../harness/wait-for.ts";

const run = promisify(execFile);

const PARTITIONS = { MILLRACE_PARTITIONS: "4" };
const READY_MAX_MS = 40_000;

interface Node {
  readonly port: number;
  readonly child: Child;
}

/** One Sentinel, a log of two and a store of one, started by the scripts of infra/redis; nothing of them speaks without TLS. */
class TlsGroups {
  readonly certificates: string;
  readonly users: RedisUsers;
  readonly #sentinelPort: number;
  readonly #masters: Readonly<Record<RedisKind, number>>;

  private constructor(
    certificates: string,
    users: RedisUsers,
    sentinelPort: number,
    masters: Record<RedisKind, number>,
  ) {
    this.certificates = certificates;
    this.users = users;
    this.#sentinelPort = sentinelPort;
    this.#masters = masters;
  }

  static async start(): Promise<TlsGroups> {
    const [certificates, users] = await Promise.all([newCertificates(), newRedisUsers()]);
    const [sentinelPort, log, store] = [await findFreePort(), await findFreePort(), await findFreePort()];
    const groups = new TlsGroups(certificates, users, sentinelPort, { log, store });
    await groups.#startSentinel();
    const nodes = [groups.#startNode("log", log), groups.#startNode("store", store)];
    await Promise.all(nodes);
    await groups.#startNode("log", await findFreePort());
    return groups;
  }

  /** Through the Sentinel, or straight to the masters. */
  urls(user: RedisUser, way: "sentinel" | "straight"): Pick<ProcessOptions, "log" | "store"> {
    const login = `${user}:${this.users[user]}@`;
    const url = (kind: RedisKind): string =>
      way === "sentinel"
        ? `rediss+sentinel://${login}localhost:${this.#sentinelPort}/${kind}`
        : `rediss://${login}localhost:${this.#masters[kind]}`;
    return { log: { url: url("log") }, store: { url: url("store") } };
  }

  /** What cli.sh says to a person beside this server. */
  cli(server: RedisKind, words: readonly string[], env: Record<string, string> = {}): Promise<string> {
    const args = [join(redisFolder, "cli.sh"), "-p", String(this.#masters[server]), ...words];
    return new Promise((resolve) => {
      execFile("sh", args, { env: this.#environment(env) }, (_error, said) => resolve(said.trim()));
    });
  }

  /** What the runbook's `ask` is answered by the Sentinel or the log's master. */
  async ask(command: string): Promise<string> {
    const runbook = await readFile(join(repoRoot, "docs/runbook.md"), "utf8");
    const [ask = ""] = /^ask\(\) .*$/m.exec(runbook) ?? [];
    // Of a pod: where its scripts are, and what takes the place of its shell.
    const here = ask.replace("/etc/millrace/redis", redisFolder);
    const script = `kubectl() { shift 7; "$@"; }\n${here}\n${command.replace("26379", String(this.#sentinelPort))}`;
    const env = this.#environment({ REDIS_KIND: "log", SENTINELS: "" });
    return (await run("sh", ["-c", script], { env })).stdout;
  }

  get logPort(): number {
    return this.#masters.log;
  }

  async #startSentinel(): Promise<void> {
    const monitor = Object.entries(this.#masters).map(([kind, port]) => `${kind}=localhost:${port}`);
    await this.#run("start-sentinel.sh", [], {
      SENTINEL_HOST: "localhost",
      SENTINEL_PORT: String(this.#sentinelPort),
      SENTINEL_BIND: "127.0.0.1",
      SENTINEL_MONITOR: monitor.join(" "),
      SENTINEL_QUORUM: "1",
      SENTINEL_HOSTNAMES: "yes",
      // Nobody is to be promoted here.
      SENTINEL_DOWN_AFTER_MS: "60000",
      SENTINEL_DIR: await newFolder(),
    });
  }

  async #startNode(kind: RedisKind, port: number): Promise<Node> {
    const env = {
      REDIS_KIND: kind,
      REDIS_HOST: "localhost",
      REDIS_PORT: String(port),
      REDIS_BIND: "127.0.0.1",
      SENTINELS: `localhost:${this.#sentinelPort}`,
      REDIS_DIR: await newFolder(),
    };
    const child = await this.#run("start-node.sh", [], env);
    const ready = (): Promise<boolean> =>
      new Promise((resolve) => {
        const script = join(redisFolder, "node-ready.sh");
        execFile("sh", [script], { env: this.#environment(env) }, (error) => resolve(error === null));
      });
    await waitFor(ready, { timeoutMs: READY_MAX_MS, intervalMs: 200, what: `${kind} is in sync` }).catch((error) => {
      throw new Error(`${String(error)}\n${child.lines().slice(-10).join("\n")}`);
    });
    return { port, child };
  }

  #run(script: string, args: readonly string[], env: Record<string, string>): Promise<Child> {
    const command = [join(redisFolder, script), ...args];
    return startChild({ command: "sh", args: command, env: this.#environment(env), reaper: testReaper() });
  }

  #environment(env: Record<string, string>): NodeJS.ProcessEnv {
    return { PATH: process.env.PATH, REDIS_USERS: this.users.folder, REDIS_TLS: this.certificates, ...env };
  }
}

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-tls-node-"));
  testReaper().watchFolder(folder);
  cleanUpLater(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

describe("Redis over TLS", () => {
  let groups: TlsGroups;
  const caOf = (folder: string) => ({ MILLRACE_REDIS_CA_FILE: join(folder, "ca.crt") });

  beforeAll(async () => {
    groups = await TlsGroups.start();
    const env = { ...PARTITIONS, ...caOf(groups.certificates) };
    await startConsumer({ ...groups.urls("consumer", "sentinel"), env });
  });

  test.each(["sentinel", "straight"] as const)(
    "what was written over TLS (%s) is applied and read over TLS",
    async (way) => {
      const env = { ...PARTITIONS, ...caOf(groups.certificates) };
      const api = await startApi({ ...groups.urls("api", way), env });
      const client = httpClient(api.url);
      await waitFor(async () => (await client.put("tls", way, "secret", WAIT)).status < 300, { timeoutMs: 20_000 });
      expect((await client.get("tls", way)).text).toBe("secret");
      expect(await api.stop()).toBe(0);
    },
  );

  test.each(["sentinel", "straight"] as const)(
    "servers that another authority stands for are not talked to (%s)",
    async (way) => {
      const env = { ...PARTITIONS, ...caOf(await newCertificates()) };
      const api = await startApi({ ...groups.urls("api", way), env, waitReady: false });
      if (way === "straight") await api.waitForLog("certificate");
      // A Sentinel's faults are not told one by one: that it says nothing is.
      else await api.waitForLog("no majority of the Sentinels");
      expect((await fetch(`${api.opsUrl}/healthz/ready`)).status).toBe(503);
      await api.kill();
    },
  );

  test("a person in a pod reads no value as the user who looks, and may name another one", async () => {
    expect(await groups.cli("store", ["GET", "mr:format"])).toContain("NOPERM");
    expect(await groups.cli("store", ["ACL", "WHOAMI"], { REDIS_AS: "operator" })).toBe("operator");
  });

  test("what the runbook asks Redis and the Sentinels is answered, to the user it asks as", async () => {
    expect(await groups.ask("ask sentinel-0 -p 26379 SENTINEL master log")).toMatch(/^name\nlog\nip\nlocalhost\n/);
    expect(await groups.ask("ask sentinel-0 -p 26379 SENTINEL ckquorum log")).toMatch(/^OK 1 usable/);
    const ofLog = (command: string) => groups.ask(`ask log-0 -p ${groups.logPort} ${command}`);
    expect(await ofLog("INFO replication")).toContain("role:master\r\nconnected_slaves:1\r\n");
    expect(await ofLog("LATENCY LATEST")).not.toContain("NOPERM");
    expect(await ofLog("LATENCY HISTOGRAM fcall")).toMatch(/^fcall\ncalls\n\d+\n/);
    expect(await ofLog("--latency")).toMatch(/^\d+ \d+ [\d.]+ \d+\n$/);
  });

  test("a file without a certificate is told at the start", async () => {
    const env = { ...PARTITIONS, MILLRACE_REDIS_CA_FILE: join(groups.certificates, "names") };
    const api = await startApi({ ...groups.urls("api", "straight"), env, waitReady: false });
    expect(await api.exited).not.toBe(0);
    expect(api.logs().join("\n")).toContain("MILLRACE_REDIS_CA_FILE: is not a readable file with a certificate");
  });
});
