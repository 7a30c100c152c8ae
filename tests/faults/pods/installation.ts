/** Log, store and Sentinels as their StatefulSets say, and the api and two consumers beside them. */
import { randomBytes } from "node:crypto";
import { chownSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatAddress } from "../../../core/redis/sentinel-view.ts";
import type { GroupsPlan } from "../../../infra/local/redis-groups.ts";
import type { RedisKind } from "../../../infra/local/redis-process.ts";
import { repoRoot } from "../../../infra/local/repo-root.ts";
import { type ServiceKind, serviceProgram } from "../../../infra/local/service-process.ts";
import {
  type Asked,
  agreedMaster,
  askRedis,
  isReplicaOf,
  readInfo,
  refusals,
  seesHealthy,
} from "../../harness/sentinel-view.ts";
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
/** The operator looks on, and keeps his password. */
const CHANGED = ["api", "consumer", "node", "probe", "replication", "sentinel"] as const;

const keyOf = (user: string): string => `redis-${user}-password`;
const alsoKeyOf = (user: string): string => `${keyOf(user)}-also`;
const newPassword = (): string => randomBytes(16).toString("hex");

/** A volume whose files are keys of the Secret. */
interface SecretVolume {
  readonly volume: Volume;
  readonly folder: string;
  readonly gid: number;
}

export class Installation {
  readonly log: readonly Pod[];
  readonly store: readonly Pod[];
  readonly sentinels: readonly Pod[];
  readonly services: readonly Pod[];
  readonly #plan: GroupsPlan;
  readonly #folder: string;
  readonly #secret: Record<string, string | undefined>;
  readonly #secretVolumes: SecretVolume[] = [];
  /** What the users had before their passwords were changed. */
  readonly #old: ReadonlyMap<string, string>;

  constructor(folder: string, rendered: Rendered, network: PodNetwork) {
    this.#folder = folder;
    this.#old = new Map(CHANGED.map((user) => [user, newPassword()]));
    this.#secret = Object.fromEntries(
      [...this.#old, ["operator", newPassword()]].map(([user = "", password]) => [keyOf(user), password]),
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
    const login = { username: "operator", password: this.#secret[keyOf("operator")] ?? "" };
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

  /** The three steps of k8s/README.md: the new passwords are accepted, too; */
  acceptNewPasswords(): void {
    this.#patchSecret((user) => ({ [alsoKeyOf(user)]: newPassword() }));
  }

  /** they are sent, and the old ones are still accepted; */
  sendNewPasswords(): void {
    this.#patchSecret((user) => ({
      [keyOf(user)]: this.#secret[alsoKeyOf(user)],
      [alsoKeyOf(user)]: this.#secret[keyOf(user)],
    }));
  }

  /** the old ones are not accepted any more. Each takes effect when the pods are started again. */
  refuseOldPasswords(): void {
    this.#patchSecret((user) => ({ [alsoKeyOf(user)]: undefined }));
  }

  /** Which old passwords are still accepted, and which new ones are not. */
  async wrongLogins(): Promise<string[]> {
    const logins = this.#everywhere().flatMap(({ host, port }) =>
      CHANGED.map(async (user) => {
        const accepts = async (password = ""): Promise<boolean> =>
          askRedis({ host, port, patienceMs: PATIENCE_MS }, "AUTH", user, password).then(
            () => true,
            (error: Error) => {
              if (!error.message.startsWith("WRONGPASS")) throw error;
              return false;
            },
          );
        // The replication's user is not known to a Sentinel.
        const known = user !== "replication" || port === 6379;
        return [
          ...((await accepts(this.#old.get(user))) ? [`${host} accepts the old password of ${user}`] : []),
          ...((await accepts(this.#secret[keyOf(user)])) === known
            ? []
            : [`${host} refuses the new password of ${user}`]),
        ];
      }),
    );
    return (await Promise.all(logins)).flat();
  }

  /** What these nodes and Sentinels have refused anybody since they were started. */
  async refusals(pods: readonly Pod[]): Promise<string[]> {
    const asked = this.#everywhere().filter(({ host }) => pods.some(({ spec }) => spec.names[0] === host));
    const told = asked.map(async (node) => (await refusals(node)).map((each) => `${node.host} refused ${each}`));
    return (await Promise.all(told)).flat();
  }

  #everywhere(): readonly Asked[] {
    return [...KINDS.flatMap((kind) => this.#plan.nodes[kind]), ...this.#plan.sentinels];
  }

  #patchSecret(patchOf: (user: string) => Record<string, string | undefined>): void {
    for (const user of CHANGED) Object.assign(this.#secret, patchOf(user));
    for (const volume of this.#secretVolumes) this.#mountSecret(volume);
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
        const files = configMaps.find(({ metadata }) => metadata.name === volume.configMap?.name)?.data ?? {};
        for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text, { mode: 0o644 });
        const mounted = { volume, folder, gid: securityContext.runAsGroup };
        this.#mountSecret(mounted);
        this.#secretVolumes.push(mounted);
        return [volume.name, folder] as const;
      }),
    );
  }

  /** As a kubelet does it, in pods that run as well: nobody ever reads half of a file. */
  #mountSecret({ volume, folder, gid }: SecretVolume): void {
    for (const { secret } of volume.projected?.sources ?? []) {
      for (const { key, path } of secret.items) {
        const file = join(folder, path);
        const password = this.#secret[key];
        if (password === undefined && !secret.optional) throw new Error(`the Secret has no ${key}`);
        if (password === undefined) rmSync(file, { force: true });
        else {
          writeFileSync(`${file}.new`, password, { mode: 0o440 });
          chownSync(`${file}.new`, 0, gid);
          renameSync(`${file}.new`, file);
        }
      }
    }
  }

  #serviceSpec(name: string): PodSpec {
    const [kind = ""] = name.split("-");
    const sentinels = this.sentinels.map(({ spec }) => `${spec.names[1]}:26379`).join();
    const url = (group: RedisKind): string =>
      `redis+sentinel://${kind}:${this.#secret[keyOf(kind)]}@${sentinels}/${group}`;
    return {
      name: `millrace-${name}`,
      names: [`millrace-${name}`],
      command: [process.execPath, join(repoRoot, serviceProgram(kind as ServiceKind))],
      // As of its start.
      get env() {
        return {
          LOG_URL: url("log"),
          STORE_URL: url("store"),
          MILLRACE_PARTITIONS: String(PARTITIONS),
          MILLRACE_OPS_HOST: "0.0.0.0",
          ...(kind === "api" && { MILLRACE_HOST: "0.0.0.0", MILLRACE_ALLOW_ANONYMOUS: "true" }),
        };
      },
      graceMs: 20_000,
    };
  }
}
