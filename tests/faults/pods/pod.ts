/**
 * One pod: a process as the first of its own process, network, mount and host-name namespaces, with what a kubelet does
 * for it: volumes, a read-only root, the user, probes, and a stop that begins with the preStop hook.
 */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type Child, startChild } from "../../../infra/local/child.ts";
import { testReaper } from "../../harness/running.ts";
import { waitFor } from "../../harness/wait-for.ts";
import type { PodNetwork } from "./network.ts";

export interface Mount {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

export interface PodSpec {
  readonly name: string;
  /** By which it is found while it is there. */
  readonly names: readonly string[];
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Left out: it sees this machine's files, as root; else nothing but the system's programs and these. */
  readonly image?: { readonly mounts: readonly Mount[]; readonly uid: number; readonly gid: number };
  readonly readiness?: { readonly command: readonly string[]; readonly periodMs: number; readonly timeoutMs: number };
  readonly preStop?: readonly string[];
  readonly graceMs: number;
}

interface Running {
  readonly child: Child;
  /** Of the first process inside, as seen from outside. */
  readonly pid: number;
  readonly address: string;
  readonly link: string;
}

export class Pod {
  readonly spec: PodSpec;
  readonly #network: PodNetwork;
  #running: Running | null = null;
  #ready = false;
  readonly #earlier: string[] = [];

  constructor(spec: PodSpec, network: PodNetwork) {
    this.spec = spec;
    this.#network = network;
  }

  get ready(): boolean {
    return this.#ready;
  }

  get address(): string {
    return this.#running?.address ?? "";
  }

  /** With an address that it never had. Returns when its process is about to start. */
  async start(): Promise<void> {
    const { name, names } = this.spec;
    const namespaces = ["--net", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child=KILL"];
    const child = await startChild({
      command: "unshare",
      args: [...namespaces, "sh", "-euc", prepare(this.spec, this.#network.hostsFile), name, ...this.spec.command],
      reaper: testReaper(),
    });
    const pid = await waitFor(() => firstChildOf(child.pid), { what: `the process of ${name}` });
    // Who takes another user is not told that its parent died (prctl(2), PR_SET_PDEATHSIG): --kill-child is not enough.
    testReaper().watch(pid);
    this.#running = { child, pid, ...(await this.#network.join(pid, names)) };
    if (this.spec.readiness) void this.#probe(this.#running);
  }

  /** The process dies with its node; nothing is told. */
  async kill(): Promise<void> {
    const { child, pid } = this.#known();
    process.kill(pid, "SIGKILL");
    await child.exited;
    this.#gone();
  }

  /** As a kubelet: the hook, SIGTERM, and SIGKILL to what is still there then. @returns did it end by itself? */
  async stop(): Promise<boolean> {
    const { child, pid } = this.#known();
    if (this.spec.preStop) await this.exec(this.spec.preStop, this.spec.graceMs);
    if (child.running) process.kill(pid, "SIGTERM");
    const ended = await Promise.race([child.exited.then(() => true), sleep(this.spec.graceMs, false, { ref: false })]);
    if (ended) this.#gone();
    else await this.kill();
    return ended;
  }

  cut(): Promise<void> {
    return this.#network.cut(this.#known().link);
  }

  heal(): Promise<void> {
    return this.#network.heal(this.#known().link);
  }

  /** Runs a command inside, as the container's user. @returns is its exit code 0? */
  exec(command: readonly string[], timeoutMs: number): Promise<boolean> {
    const { pid } = this.#known();
    const enter = ["-t", String(pid), "-n", "-m", "-u", "-i", "-p", "-r", "-w"];
    const args = [...enter, ...asUser(this.spec), ...command];
    return new Promise((resolve) => {
      execFile("nsenter", args, { timeout: timeoutMs, killSignal: "SIGKILL" }, (error, _stdout, stderr) => {
        if (stderr !== "") this.#earlier.push(...stderr.trim().split("\n"));
        resolve(error === null);
      });
    });
  }

  logs(): readonly string[] {
    return [...this.#earlier, ...(this.#running?.child.lines() ?? [])];
  }

  #known(): Running {
    if (this.#running === null) throw new Error(`${this.spec.name} does not run`);
    return this.#running;
  }

  #gone(): void {
    const { child, pid, address } = this.#known();
    testReaper().forget(pid);
    this.#earlier.push(...child.lines(), `--- ${this.spec.name} at ${address} has ended`);
    this.#running = null;
    this.#ready = false;
    this.#network.leave(address);
  }

  async #probe(running: Running): Promise<void> {
    const { readiness } = this.spec;
    while (readiness && this.#running === running && running.child.running) {
      const ready = await this.exec(readiness.command, readiness.timeoutMs);
      if (this.#running === running) this.#ready = ready;
      await sleep(readiness.periodMs, undefined, { ref: false });
    }
  }
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

function asUser({ image, env }: PodSpec): string[] {
  const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const clean = ["env", "-i", "PATH=/usr/local/bin:/usr/bin:/bin", ...settings];
  if (image === undefined) return clean;
  const ids = ["--reuid", String(image.uid), "--regid", String(image.gid), "--clear-groups"];
  return ["setpriv", ...ids, "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", ...clean];
}

/** Run as the first process of the pod: it becomes the container's once there is a network. */
function prepare(spec: PodSpec, hostsFile: string): string {
  const lines = [`hostname ${spec.name}`];
  if (spec.image === undefined) {
    lines.push(`mount --bind ${hostsFile} /etc/hosts`, "mount -t proc proc /proc");
  } else {
    lines.push(
      // The image: nothing of this machine's but its programs.
      "root=/mnt; mount -t tmpfs none $root; cd $root; mkdir usr proc dev etc tmp",
      "for part in bin sbin lib lib64; do if [ -L /$part ]; then cp -P /$part .; else mkdir $part; mount --bind /$part $part; fi; done",
      "mount --bind /usr usr; mount --bind /dev dev; mount -t proc proc proc",
      "cp /etc/passwd /etc/group /etc/ld.so.cache etc/; echo 'hosts: files' >etc/nsswitch.conf; touch etc/hosts",
      "cp -a /etc/alternatives etc/",
      `mount --bind ${hostsFile} etc/hosts`,
    );
    for (const { source, target, readOnly } of spec.image.mounts) {
      lines.push(`mkdir -p .${target}; mount --bind ${source} .${target}`);
      if (readOnly) lines.push(`mount -o remount,bind,ro .${target}`);
    }
    lines.push("mount -o remount,ro $root");
  }
  lines.push("until ip -4 addr show dev eth0 2>/dev/null | grep -q inet; do sleep 0.02; done");
  const user = asUser(spec).map(quoted).join(" ");
  lines.push(`exec ${spec.image === undefined ? "" : "chroot . "}${user} "$@"`);
  return lines.join("\n");
}

function firstChildOf(pid: number): number | undefined {
  const [first] = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
  return first ? Number(first) : undefined;
}
