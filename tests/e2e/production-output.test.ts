/** What the images hold, run as a container runs it: the Dockerfile says of what, by whom, and with which command. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it, test } from "vitest";
import { findFreePort } from "../../infra/local/ports.ts";
import { waitUntilReady } from "../../infra/local/service-process.ts";
import { type BuiltImage, layOutImage } from "../harness/built-image.ts";
import { type Container, containmentHindrance, startContainer } from "../harness/container.ts";
import { type Answer, type HttpClient, httpClient, WAIT } from "../harness/http.ts";
import { type RedisServer, startRedis } from "../harness/redis-server.ts";
import { waitFor } from "../harness/wait-for.ts";

const HOW = containmentHindrance === undefined ? "" : ` (NOT CONTAINED HERE: ${containmentHindrance})`;
/** As tsc writes them; in code that people write they may look otherwise. */
const importsOf = (text: string): string[] =>
  [...text.matchAll(/^(?:import|export)\s(?:[\w$*{},\s]*\sfrom\s)?"([^"]+)"|\bimport\("([^"]+)"\)/gm)].map(
    ([, fixed, dynamic]) => fixed ?? dynamic ?? "",
  );
const READY_MAX_MS = 60_000;

let images: Record<"api" | "consumer" | "smoke", BuiltImage>;
beforeAll(() => {
  images = { api: layOutImage("api"), consumer: layOutImage("consumer"), smoke: layOutImage("smoke") };
}, 120_000);

describe.each(["api", "consumer", "smoke"] as const)("the image of %s", (name) => {
  const filesOf = (folder: string): string[] =>
    readdirSync(folder, { recursive: true, encoding: "utf8" }).map((file) => join(folder, file));

  it("holds every file and every package that its programs import, none of them for development", () => {
    const { place } = images[name];
    const { dependencies } = JSON.parse(readFileSync(join(place, "package.json"), "utf8")) as {
      dependencies: Record<string, string>;
    };
    const programs = filesOf(join(place, "dist")).filter((file) => file.endsWith(".js"));
    expect(programs).not.toEqual([]);
    const missing = programs.flatMap((file) =>
      importsOf(readFileSync(file, "utf8"))
        .filter((imported) => {
          if (imported.startsWith(".")) return !existsSync(join(dirname(file), imported));
          const [, own = ""] = /^((?:@[^/]+\/)?[^/]+)/.exec(imported) ?? [];
          return !isBuiltin(imported) && !(own in dependencies && existsSync(join(place, "node_modules", own)));
        })
        .map((imported) => `${file.slice(place.length)} imports ${imported}`),
    );
    expect(missing).toEqual([]);
  });

  it("holds no test, no source and nothing that only people read at run time", () => {
    const { place } = images[name];
    expect(filesOf(join(place, "dist")).filter((file) => /\.test\.js$|\.map$|\.ts$/.test(file))).toEqual([]);
    expect(readdirSync(place).toSorted()).toEqual(
      ["LICENSE", "dist", ...(name === "smoke" ? [] : ["node_modules"]), "package.json"].toSorted(),
    );
  });
});

describe(`as their user, as process 1, with nothing to write to${HOW}`, () => {
  let log: RedisServer;
  let store: RedisServer;
  let api: Container;
  let consumer: Container;
  let client: HttpClient;
  const urls = { api: "", apiOps: "", consumerOps: "" };

  const start = ({ user, command, place, environment }: BuiltImage, env: Record<string, string> = {}, more = [""]) =>
    startContainer({
      user,
      command: [process.execPath, ...command.slice(1), ...more.filter((word) => word !== "")],
      folder: place,
      env: { PATH: process.env.PATH ?? "", HOME: "/nonexistent", ...environment, ...env },
    });

  beforeAll(async () => {
    [log, store] = await Promise.all([startRedis({ kind: "log" }), startRedis({ kind: "store" })]);
    const [port, apiOps, consumerOps] = await Promise.all([findFreePort(), findFreePort(), findFreePort()]);
    Object.assign(urls, {
      api: `http://127.0.0.1:${port}`,
      apiOps: `http://127.0.0.1:${apiOps}`,
      consumerOps: `http://127.0.0.1:${consumerOps}`,
    });
    const shared = { LOG_URL: log.url, STORE_URL: store.url, MILLRACE_PARTITIONS: "4" };
    api = await start(images.api, { ...shared, PORT: String(port), OPS_PORT: String(apiOps) });
    consumer = await start(images.consumer, { ...shared, OPS_PORT: String(consumerOps) });
    await waitUntilReady("api", api.child, urls.apiOps, READY_MAX_MS);
    await waitUntilReady("consumer", consumer.child, urls.consumerOps, READY_MAX_MS);
    client = httpClient(urls.api);
  });

  const stopping = (container: Container) =>
    waitFor(() => container.child.lines().some((line) => line.includes('"stopping"')), { what: "a line: stopping" });

  test.skipIf(containmentHindrance !== undefined)("what runs there is enclosed indeed", async () => {
    const program = `
      const { writeFileSync } = require("node:fs");
      const faults = ["/tmp/x", "/dev/shm/x", "/var/tmp/x", "x", "dist/x"].map((path) => {
        try { writeFileSync(path, ""); return "written"; } catch (error) { return error.code; }
      });
      console.log(JSON.stringify([process.pid, process.getuid(), process.getgid(), new Set(faults).size, ...new Set(faults)]));`;
    const { child } = await startContainer({
      user: images.api.user,
      command: [process.execPath, "-e", program],
      folder: images.api.place,
      env: {},
    });
    expect(await child.exited).toBe(0);
    expect(child.lines()).toEqual(['[1,65532,65532,1,"EROFS"]']);
  });

  test("a key is written, applied and read; the pages and the ops ports answer", async () => {
    expect((await client.put("n", "k", "v", WAIT)).status).toBe(201);
    expect((await client.get("n", "k")).text).toBe("v");
    expect((await client.send("GET", "/openapi.json")).text).toBe(readFileSync("docs/openapi.json", "utf8"));
    const page = await client.send("GET", "/docs");
    const files = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? "");
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) expect((await client.send("GET", file)).status).toBe(200);
    for (const url of [urls.apiOps, urls.consumerOps]) {
      expect((await fetch(`${url}/healthz/live`)).status).toBe(200);
      expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/^millrace_/m);
    }
  });

  test("the smoke image finds the deployment in order, and says so by its exit code", async () => {
    const image = { ...images.smoke, command: images.smoke.command.slice(0, 2) };
    const ops = ["--ops", urls.apiOps, "--ops", urls.consumerOps];
    const { child } = await start(image, {}, [urls.api, ...ops]);
    expect([await child.exited, child.lines().join("\n")]).toEqual([0, expect.not.stringContaining("FAIL")]);
    expect(child.lines()).toHaveLength(7);
  });

  test("the smoke image says what does not work, and ends with another code", async () => {
    const image = { ...images.smoke, command: images.smoke.command.slice(0, 2) };
    const { child } = await start(image, {}, [urls.apiOps]);
    expect(await child.exited).toBe(1);
    expect(child.lines().join("\n")).toMatch(/^FAIL {2}the API answers: GET \/openapi.json: expected 200, got 404/);
  });

  test("an API that gets SIGTERM answers what it has taken, and ends with code 0", async () => {
    log.pause();
    let sent = false;
    const onSent = () => {
      sent = true;
    };
    const answer: Promise<Answer> = client.put("n", "in-flight", "v", { onSent });
    await waitFor(() => sent);
    await api.signal("SIGTERM");
    await stopping(api);
    log.resume();
    expect((await answer).status).toBe(202);
    expect(await api.child.exited).toBe(0);
  });

  test("a consumer that gets SIGTERM ends with code 0", async () => {
    await consumer.signal("SIGTERM");
    expect(await consumer.child.exited).toBe(0);
    expect(consumer.child.lines().join("\n")).toContain('"stopped"');
  });
});
