/** A process as a container runs it: process 1, a user of its own without capabilities, and nothing that it can write to. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { type Child, startChild } from "../../infra/local/child.ts";
import { cleanUpLater, testReaper } from "./running.ts";
import { waitFor } from "./wait-for.ts";

export interface ContainerOptions {
  /** `uid:gid` */
  readonly user: string;
  readonly command: readonly string[];
  readonly folder: string;
  readonly env: Record<string, string>;
}

export interface Container {
  /** Of all that runs in it. Its exit code is that of the process inside. */
  readonly child: Child;
  /** To process 1. */
  readonly signal: (name: "SIGTERM" | "SIGINT") => Promise<void>;
}

const ENCLOSE = `
for place in /dev/shm /var/tmp /tmp /; do
  if mountpoint -q $place; then mount -o remount,bind,ro $place || exit; fi
done
exec setpriv --reuid "\${1%:*}" --regid "\${1#*:}" --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all "\${@:2}"`;
const NAMESPACES = ["--mount", "--pid", "--fork", "--mount-proc", "--kill-child"];

function enclose(user: string, command: readonly string[]): readonly [string, ...string[]] {
  return ["unshare", ...NAMESPACES, "bash", "-c", ENCLOSE, "bash", user, ...command];
}

/** Why this machine cannot contain a process, undefined where it can: that takes Linux, root, and a node that others may run. */
export const containmentHindrance: string | undefined = findHindrance();

function findHindrance(): string | undefined {
  if (process.platform !== "linux") return `this is ${process.platform}`;
  if (process.getuid?.() !== 0) return "this is not root";
  const [command, ...args] = enclose("65532:65532", [process.execPath, "--version"]);
  const { status, stderr, error } = spawnSync(command, args, { encoding: "utf8", cwd: "/" });
  return status === 0 ? undefined : (error?.message ?? stderr.trim());
}

/** Starts it; where the machine cannot contain it, as a process like any other. It ends with the test file. */
export async function startContainer({ user, command, folder, env }: ContainerOptions): Promise<Container> {
  const plain = containmentHindrance !== undefined;
  const [program = "", ...args] = plain ? command : enclose(user, command);
  const child = await startChild({ command: program, args, cwd: folder, env, reaper: testReaper() });
  cleanUpLater(async () => {
    child.signal("SIGKILL");
    await child.exited;
  });
  return {
    child,
    signal: async (name) => {
      process.kill(plain ? child.pid : await insideOf(child.pid), name);
    },
  };
}

/** The process that is number 1 inside, as it is known out here. */
async function insideOf(pid: number): Promise<number> {
  const first = await waitFor(() => readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ")[0], {
    what: `what process ${pid} contains`,
  });
  return Number(first);
}
