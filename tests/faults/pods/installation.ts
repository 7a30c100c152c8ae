/** Log, store and Sentinels as their StatefulSets say, and the api and two consumers beside them. */
import { randomBytes } from "node:crypto";
import { chownSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatAddress } from "../../../core/redis/sentinel-view.ts";
import type { GroupsPlan } from "../../../infra/local/redis-groups.ts";
import type { RedisKind } from "../../../infra/local/redis-process.ts";
import { repoRoot } from "../../../infra/local/repo-root.ts";
import { type ServiceKind, serviceProgram } from "../../../infra/local/service-process.ts";
import { type Asked, agreedMaster, askRedis, isReplicaOf, readInfo, seesHealthy } from "../../harness/sentinel-view.ts";
import { waitFor } from "../../harness/wait-for.ts";
import type { PodNetwork } from "./network.ts";
import { type Mount, Pod, type PodSpec } from "./pod.ts";
import { environmentOf, type Rendered, type StatefulSet, type Volume } from "./stateful-set.ts";

export const NAMESPACE = "millrace";
export const PARTITIONS = 4;
const KINDS = ["log", "store"] as const;
/** Shorter than in a cluster: a test waits for it many times. */
const DOWN_AFTER_MS = 1000;
const HEALTHY_MAX_MS = 120_000;
/** How long we wait for one answer: nobody is frozen here, and the machine may be busy. */
const PATIENCE_MS = 5_000;
const SECRETS = ["api", "consumer", "node", "probe", "replication", "sentinel", "operator"] as const;

export class Installation {
  readonly log: readonly Pod[];
  readonly store: readonly Pod[];
  readonly sentinels: readonly Pod[];
  readonly services: readonly Pod[];
  readonly #plan: GroupsPlan;
  readonly #folder: string;
  readonly #secret: Record<string, string>;

  constructor(folder: string, rendered: Rendered, network: PodNetwork) {
    this.#folder = folder;
    this.#secret = Object.fromEntries(
      SECRETS.map((user) => [`redis-${user}-password`, randomBytes(16).toString("hex")]),
    );
    const podsOf = (name: string): Pod[] => {
      const set = rendered.sets.find(({ metadata }) => metadata.name === `millrace-${name}`);
      if (set === undefined) throw new Error(`there is no StatefulSet millrace-${name}`);
      const volumes = this.#makeVolumes(set, rendered);
      return Array.from({ length: set.spec.replicas }, (_, n) => new Pod(this.#specOf(set, n, volumes), network));
    };
    this.log = podsOf("log");
    this.store = podsOf("store");
    this.sentinels = podsOf("sentinel");
    const login = { username: "operator", password: this.#secret["redis-operator-password"] ?? "" };
    const reach = (pods: readonly Pod[], port: number): Asked[] =>
      pods.map(({ spec }) => ({ host: spec.names[0] ?? "", port, ...login, patienceMs: PATIENCE_MS }));
    this.#plan = {
      nodes: { log: reach(this.log, 6379), store: reach(this.store, 6379) },
      sentinels: reach(this.sentinels, 26379),
      downAfterMs: DOWN_AFTER_MS,
    };
    this.services = ["api-1", "consumer-1", "consumer-2"].map((name) => new Pod(this.#serviceSpec(name), network));
  }

  get url(): string {
    return `http://${this.services[0]?.address}:8080`;
  }

  get redis(): readonly Pod[] {
    return [...this.sentinels, ...this.log, ...this.store];
  }

  /** The pod that a majority of the Sentinels names now. */
  async master(kind: RedisKind): Promise<Pod> {
    const name = await waitFor(() => agreedMaster(this.#plan, kind), {
      timeoutMs: HEALTHY_MAX_MS,
      what: `a majority for a master of ${kind}`,
    });
    const pod = this[kind].find(({ spec }) => `${spec.names[0]}:6379` === name);
    if (pod === undefined) throw new Error(`the Sentinels name ${name}, which is no pod of ours`);
    return pod;
  }

  /**
   * Waits until a group has one master, the others are its replicas in sync, all pods are ready, and every Sentinel sees
   * that. @returns how many nodes say that they are a master: one
   */
  async healthy(kind: RedisKind): Promise<number> {
    const nodes = this.#plan.nodes[kind];
    return waitFor(
      async () => {
        if (![...this[kind], ...this.sentinels].every(({ ready }) => ready)) return false;
        const name = await agreedMaster(this.#plan, kind);
        const master = nodes.find((node) => formatAddress(node) === name);
        if (master === undefined) return false;
        const others = nodes.filter((node) => node !== master);
        const linked = await Promise.all(others.map((node) => isReplicaOf(node, master)));
        const seen = await Promise.all(
          this.#plan.sentinels.map((one) => seesHealthy(one, kind, master, others, this.#plan)),
        );
        if ([...linked, ...seen].includes(false)) return false;
        const roles = await Promise.all(nodes.map(async (node) => (await readInfo(node, "replication")).get("role")));
        return roles.filter((role) => role === "master").length;
      },
      { timeoutMs: HEALTHY_MAX_MS, intervalMs: 100, what: `${kind} is healthy` },
    );
  }

  async sentinelsReady(): Promise<void> {
    const what = "all Sentinels are ready";
    await waitFor(() => this.sentinels.every(({ ready }) => ready), { timeoutMs: HEALTHY_MAX_MS, what });
  }

  /** Waits until what the nodes were told stands in their files: nothing is left to be lost by a loss of power. */
  async written(): Promise<void> {
    const nodes = KINDS.flatMap((kind) => this.#plan.nodes[kind]);
    const isWritten = async (node: Asked): Promise<boolean> => {
      const info = await readInfo(node, "persistence");
      return info.get("aof_buffer_length") === "0" && info.get("aof_rewrite_in_progress") === "0";
    };
    await waitFor(async () => !(await Promise.all(nodes.map(isWritten))).includes(false), {
      timeoutMs: HEALTHY_MAX_MS,
      what: "all is written to the files",
    });
  }

  /** What any node or Sentinel has refused anybody since it was started. */
  async refusals(): Promise<string[]> {
    const everywhere = [...KINDS.flatMap((kind) => this.#plan.nodes[kind]), ...this.#plan.sentinels];
    const logs = await Promise.all(everywhere.map((node) => askRedis(node, "ACL", "LOG", "100")));
    return logs.flatMap((entries) => (entries as unknown[][]).map((entry) => entry.slice(0, 12).join(" ")));
  }

  #specOf(set: StatefulSet, index: number, volumes: ReadonlyMap<string, string>): PodSpec {
    const { containers, terminationGracePeriodSeconds, securityContext } = set.spec.template.spec;
    const [container] = containers;
    if (container === undefined) throw new Error(`${set.metadata.name} has no container`);
    const name = `${set.metadata.name}-${index}`;
    const { runAsUser: uid, runAsGroup: gid } = securityContext;
    const data = join(this.#folder, name);
    mkdirSync(data);
    chownSync(data, uid, gid);
    const env = environmentOf(container, name, NAMESPACE);
    if ("SENTINEL_DOWN_AFTER_MS" in env) env.SENTINEL_DOWN_AFTER_MS = String(DOWN_AFTER_MS);
    const mounts = container.volumeMounts.map(
      ({ name: volume, mountPath, readOnly }): Mount => ({
        source: volume === "data" ? data : (volumes.get(volume) ?? ""),
        target: mountPath,
        readOnly: readOnly ?? false,
      }),
    );
    const probe = container.readinessProbe;
    const preStop = container.lifecycle?.preStop?.exec?.command;
    const { serviceName } = set.spec;
    return {
      name,
      names: [`${name}.${serviceName}.${NAMESPACE}.svc`, `${name}.${serviceName}`],
      command: [...container.command, ...(container.args ?? [])],
      env,
      image: { mounts, uid, gid },
      readiness: {
        command: probe.exec?.command ?? [],
        periodMs: 1000 * Math.min(1, probe.periodSeconds ?? 10),
        timeoutMs: 1000 * (probe.timeoutSeconds ?? 1),
      },
      ...(preStop && { preStop }),
      graceMs: 1000 * terminationGracePeriodSeconds,
    };
  }

  /** The folders of a set's volumes, by name. */
  #makeVolumes(set: StatefulSet, { configMaps }: Rendered): ReadonlyMap<string, string> {
    const { volumes, securityContext } = set.spec.template.spec;
    return new Map(
      volumes.map((volume) => {
        const folder = join(this.#folder, `${set.metadata.name}.${volume.name}`);
        mkdirSync(folder);
        for (const [file, text] of this.#filesOf(volume, configMaps)) {
          writeFileSync(join(folder, file), text, { mode: volume.configMap ? 0o644 : 0o440 });
          chownSync(join(folder, file), 0, securityContext.runAsGroup);
        }
        return [volume.name, folder] as const;
      }),
    );
  }

  #filesOf({ configMap, projected }: Volume, configMaps: Rendered["configMaps"]): (readonly [string, string])[] {
    if (configMap) {
      return Object.entries(configMaps.find(({ metadata }) => metadata.name === configMap.name)?.data ?? {});
    }
    return (projected?.sources ?? []).flatMap(({ secret }) =>
      secret.items.flatMap(({ key, path }) => {
        const password = this.#secret[key];
        if (password === undefined && !secret.optional) throw new Error(`the Secret has no ${key}`);
        return password === undefined ? [] : [[path, password] as const];
      }),
    );
  }

  #serviceSpec(name: string): PodSpec {
    const [kind = ""] = name.split("-");
    const sentinels = this.sentinels.map(({ spec }) => `${spec.names[1]}:26379`).join();
    const url = (group: RedisKind): string =>
      `redis+sentinel://${kind}:${this.#secret[`redis-${kind}-password`]}@${sentinels}/${group}`;
    return {
      name: `millrace-${name}`,
      names: [`millrace-${name}`],
      command: [process.execPath, join(repoRoot, serviceProgram(kind as ServiceKind))],
      env: {
        LOG_URL: url("log"),
        STORE_URL: url("store"),
        MILLRACE_PARTITIONS: String(PARTITIONS),
        MILLRACE_OPS_HOST: "0.0.0.0",
        ...(kind === "api" && { MILLRACE_HOST: "0.0.0.0", MILLRACE_ALLOW_ANONYMOUS: "true" }),
      },
      graceMs: 20_000,
    };
  }
}
