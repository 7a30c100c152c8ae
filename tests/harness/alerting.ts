/**
 * A real Prometheus and a real Alertmanager with the project's own rules, routes and template, and somebody to tell: a webhook
 * and a Telegram that only listen. What takes minutes in earnest (intervals, `for`, gathering) takes a second here; nothing
 * else is changed but addresses.
 */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { startChild } from "../../infra/local/child.ts";
import { findFreePort } from "../../infra/local/ports.ts";
import { repoRoot } from "../../infra/local/repo-root.ts";
import { readAlertmanagerFile, writeForThisAlertmanager } from "../manifests/monitoring/alertmanager-file.ts";
import { cleanUpLater, testReaper } from "./running.ts";
import { waitFor } from "./wait-for.ts";

const INTERVAL = "1s";
const READY_TIMEOUT_MS = 30_000;

/** Debian calls it by the longer name. */
const ALERTMANAGERS = ["prometheus-alertmanager", "alertmanager"];

/** Why there can be no alerting here; empty where there can. */
export function whyNoAlerting(): string {
  const missing = [["prometheus"], ALERTMANAGERS].filter((names) => !names.some(isInstalled));
  return missing.map((names) => names.join(" or ")).join(" and ");
}

export interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** As Alertmanager holds it. */
export interface HeldAlert extends Alert {
  readonly status: { readonly state: string; readonly inhibitedBy: readonly string[] };
}

/** One post to the webhook. */
export interface Post {
  readonly status: "firing" | "resolved";
  readonly receiver: string;
  readonly alerts: readonly (Alert & { readonly status: string })[];
}

export interface Alerting {
  /** Those that fire now, as Prometheus sees it. */
  firing(): Promise<readonly Alert[]>;
  /** Of this name, in Alertmanager. */
  held(alertname: string): Promise<readonly HeldAlert[]>;
  /** All that came to the webhook, in order. */
  readonly posts: readonly Post[];
  /** Texts that came to the Telegram. */
  readonly messages: readonly string[];
  /** The value of an expression, or null where it has none. */
  valueOf(expression: string): Promise<number | null>;
}

/** @param jobs ops URLs, by job */
export async function startAlerting(jobs: Readonly<Record<string, readonly string[]>>): Promise<Alerting> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-alerting-"));
  cleanUpLater(() => rm(folder, { recursive: true, force: true }));
  const posts: Post[] = [];
  const messages: string[] = [];
  const listener = await listen((path, body) => {
    if (path === "/alerts") posts.push(body as Post);
    else messages.push((body as { text: string }).text);
  });
  const alertmanager = await startAlertmanager(folder, listener);
  const prometheus = await startPrometheus(folder, alertmanager, jobs);
  const ask = async (url: string) => (await (await fetch(url)).json()) as { data: never };
  return {
    posts,
    messages,
    firing: async () => {
      const { alerts } = (await ask(`${prometheus}/api/v1/alerts`)).data as { alerts: (Alert & { state: string })[] };
      return alerts.filter(({ state }) => state === "firing");
    },
    held: async (alertname) => {
      const all = await ask(`${alertmanager}/api/v2/alerts?filter=${encodeURIComponent(`alertname="${alertname}"`)}`);
      return all as unknown as readonly HeldAlert[];
    },
    valueOf: async (expression) => {
      const { data } = await ask(`${prometheus}/api/v1/query?query=${encodeURIComponent(expression)}`);
      const [first] = (data as { result: { value: [number, string] }[] }).result;
      return first === undefined ? null : Number(first.value[1]);
    },
  };
}

async function startAlertmanager(folder: string, listener: string): Promise<string> {
  const port = await findFreePort();
  const file = readAlertmanagerFile();
  const quick = { group_wait: "0s", group_interval: INTERVAL };
  const config = await writeForThisAlertmanager(
    {
      ...file,
      global: { ...file.global, telegram_api_url: listener },
      route: { ...file.route, routes: file.route.routes.map((route) => ({ ...route, ...quick })) },
      receivers: file.receivers.map(({ webhook_configs: webhooks, ...rest }) => ({
        ...rest,
        ...(webhooks && { webhook_configs: webhooks.map((webhook) => ({ ...webhook, url: `${listener}/alerts` })) }),
      })),
    },
    folder,
  );
  return startProgram(ALERTMANAGERS.find(isInstalled) ?? "", port, [
    `--config.file=${config}`,
    `--storage.path=${join(folder, "alertmanager")}`,
    `--web.listen-address=127.0.0.1:${port}`,
    // Alone: no port for others of its kind.
    "--cluster.listen-address=",
  ]);
}

async function startPrometheus(
  folder: string,
  alertmanager: string,
  jobs: Readonly<Record<string, readonly string[]>>,
): Promise<string> {
  const port = await findFreePort();
  const hostOf = (url: string) => new URL(url).host;
  const rules = parse(await readFile(join(repoRoot, "infra/monitoring/rules.yml"), "utf8")) as {
    groups: { interval?: string; rules: { for?: string }[] }[];
  };
  for (const group of rules.groups) {
    delete group.interval;
    for (const rule of group.rules) if (rule.for !== undefined) rule.for = INTERVAL;
  }
  const config = {
    global: { scrape_interval: INTERVAL, scrape_timeout: INTERVAL, evaluation_interval: INTERVAL },
    rule_files: ["rules.yml"],
    alerting: { alertmanagers: [{ static_configs: [{ targets: [hostOf(alertmanager)] }] }] },
    scrape_configs: Object.entries(jobs).map(([job_name, urls]) => ({
      job_name,
      static_configs: [{ targets: urls.map(hostOf) }],
    })),
  };
  await writeFile(join(folder, "rules.yml"), stringify(rules, { aliasDuplicateObjects: false }));
  await writeFile(join(folder, "prometheus.yml"), stringify(config));
  return startProgram("prometheus", port, [
    `--config.file=${join(folder, "prometheus.yml")}`,
    `--storage.tsdb.path=${join(folder, "prometheus")}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ]);
}

/** @returns its URL, once it is ready */
async function startProgram(command: string, port: number, args: readonly string[]): Promise<string> {
  const child = await startChild({ command, args, reaper: testReaper() });
  cleanUpLater(async () => {
    child.signal("SIGKILL");
    await child.exited;
  });
  const url = `http://127.0.0.1:${port}`;
  await waitFor(
    async () => {
      if (!child.running) throw new Error(child.lines().slice(-5).join("\n"));
      return (await fetch(`${url}/-/ready`)).ok;
    },
    { timeoutMs: READY_TIMEOUT_MS, what: `${command} to be ready` },
  );
  return url;
}

/** Hears what Alertmanager posts, and is content with it. */
async function listen(take: (path: string, body: unknown) => void): Promise<string> {
  // What Telegram's Bot API answers to sendMessage, as little of it as will do.
  const sent = { ok: true, result: { message_id: 1, date: 1, chat: { id: -1, type: "group" } } };
  const server = createServer((incoming, outgoing) => {
    void bodyOf(incoming).then((body) => {
      take(incoming.url ?? "", JSON.parse(body));
      outgoing.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(sent));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanUpLater(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function bodyOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function isInstalled(program: string): boolean {
  return spawnSync("which", [program]).status === 0;
}
