/**
 * What the pages tell people to do with kubectl: the objects are there, and the commands do what they say also where there is
 * more than one pod, a Redis with users, or a job that takes its time. Those that change passwords are run, with a stand-in for kubectl.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { commandsOf, type Kubectl, runCommands } from "../harness/told-commands.ts";
import { type Manifest, ofKind } from "./manifest.ts";
import { renderWith, root, withoutKubectl } from "./render.ts";

const PAGES = ["README.md", "k8s/README.md", "docs/operations.md", "docs/runbook.md"];

interface Told {
  readonly page: string;
  readonly command: string;
}

/** In blocks, where a line may go on in the next one, and within lines. */
const told: readonly Told[] = PAGES.flatMap((page) => {
  const text = readFileSync(join(root, page), "utf8").replaceAll("\\\n", " ");
  const commands = [...text.matchAll(/\bkubectl ((?:"[^"]*"|'[^']*'|[^\n`|;)#])*)/g)];
  return commands.map(([, command = ""]) => ({ page, command: command.trim() }));
});
const those = (pattern: RegExp) => told.filter(({ command }) => pattern.test(command));

/** Made by a command itself, or by infra/dev-secrets.sh. */
const MADE = ["secret/millrace-secrets", "secret/millrace-tls", "secret/millrace-dev-token", "job/millrace-backup-now"];

/** As they are written on a command line: `deployment/name`, `secret name`, and a pod by its name alone. */
function objectsIn(command: string): string[] {
  const kinds = "deployment|statefulset|cronjob|job|service|secret|pod";
  const named = [...command.matchAll(new RegExp(`\\b(${kinds})[/ ](millrace-[\\w-]+)`, "g"))];
  const asked = [...command.matchAll(/\bexec (millrace-[\w-]+)/g)];
  return [...named.map(([, kind, name]) => `${kind}/${name}`), ...asked.map(([, name]) => `pod/${name}`)];
}

it("commands are found in every page", () => {
  for (const page of PAGES) expect(told.filter((each) => each.page === page).length, page).toBeGreaterThan(0);
});

it("who waits says for how long: left to itself it is half a minute", () => {
  expect(those(/\bwait\b/).length).toBeGreaterThan(0);
  expect(those(/\bwait\b(?!.*--timeout=)/)).toEqual([]);
});

it("lines of many pods are all of them: left to itself it is the last ten of each", () => {
  expect(those(/\blogs\b.* -l /).length).toBeGreaterThan(0);
  expect(those(/\blogs\b(?=.* -l )(?!.*--tail=)/)).toEqual([]);
});

it("a Redis in a pod is asked as one of its users: the default one is off", () => {
  expect(those(/\bexec\b/).length).toBeGreaterThan(0);
  expect(those(/\bexec\b(?!.* sh \/etc\/millrace\/redis\/cli\.sh )/)).toEqual([]);
});

it("a job that was run once is not taken for its next run", () => {
  expect(told.filter(({ command }) => command.includes("restore-job") || command.endsWith("apply -f -"))).toEqual([]);
});

describe("passwords", () => {
  const users = ["api", "consumer", "node", "probe", "replication", "sentinel"];
  const redis = ["statefulset/millrace-sentinel", "statefulset/millrace-log", "statefulset/millrace-store"];
  const services = ["deployment/millrace-api", "deployment/millrace-consumer"];
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const restarts = (names: string[], passwords: string) =>
    names.flatMap((name) => ["restart", "status"].map((verb) => `${verb} ${name}: ${passwords}`));

  it("what is sent was accepted everywhere before, and what is not accepted any more is sent by nobody", async () => {
    const keys = users.map((user) => `redis-${user}-password`);
    const secret = new Map(keys.map((key) => [key, base64(`old ${key}`)]));
    const age = (key: string, of: string) => {
      const value = secret.get(key);
      if (value === undefined) return "none";
      return value === base64(`old ${of}`) ? "old" : "new";
    };
    const seen: string[] = [];
    const given = new Set<string>();
    const kubectl: Kubectl = async (command, input) => {
      if (command === "-n millrace patch secret millrace-secrets --patch-file=/dev/stdin") {
        const { data = {}, stringData = {} } = JSON.parse(input) as Record<string, Record<string, string | null>>;
        for (const [key, value] of Object.entries(data)) {
          if (value === null) secret.delete(key);
          else secret.set(key, value);
        }
        for (const [key, value] of Object.entries(stringData)) {
          secret.set(key, base64(String(value)));
          given.add(String(value));
        }
        return "";
      }
      const [, template] = /^-n millrace get secret millrace-secrets -o go-template=(.+)$/.exec(command) ?? [];
      if (template)
        return template.replaceAll(/{{index \.data "([\w-]+)"}}/g, (_, key) => secret.get(key) ?? "<no value>");
      const [, act] = /^-n millrace rollout (.+)$/.exec(command) ?? [];
      const passwords = keys.map((key) => `${age(key, key)} sent, ${age(`${key}-also`, key)} accepted, too`);
      seen.push(`${act ?? command}: ${[...new Set(passwords)].join(" or ")}`);
      return "";
    };
    await runCommands(await commandsOf("k8s/README.md", "Changing passwords"), kubectl);
    expect(seen).toEqual([
      ...restarts(redis, "old sent, new accepted, too"),
      ...restarts([...redis, ...services], "new sent, old accepted, too"),
      ...restarts(redis, "new sent, none accepted, too"),
    ]);
    expect([...secret.values()].toSorted()).toEqual([...given].map(base64).toSorted());
    expect(given.size).toBe(users.length);
    for (const password of given) expect(password).toMatch(/^[0-9a-f]{64}$/);
  });
});

describe.skipIf(withoutKubectl !== null)("what is named", { timeout: 60_000 }, () => {
  const there = new Set<string>(MADE);
  beforeAll(async () => {
    const manifests = await renderWith("prod", ["backup"], "kv.example.test");
    const jobs = parseAllDocuments(readFileSync(join(root, "infra/backup/restore-job.yaml"), "utf8"));
    for (const { kind, metadata } of [...manifests, ...jobs.map((one) => one.toJS() as Manifest)]) {
      there.add(`${kind.toLowerCase()}/${metadata.name}`);
      for (const n of [0, 1, 2]) there.add(`${kind.toLowerCase()}/${metadata.name.replace("{n}", String(n))}`);
    }
    for (const set of ofKind(manifests, "StatefulSet")) there.add(`pod/${set.metadata.name}-0`);
  }, 120_000);

  it("is there", () => {
    const named = told.flatMap(({ page, command }) => objectsIn(command).map((object) => ({ page, object })));
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter(({ object }) => !there.has(object))).toEqual([]);
  });
});
