/** Backup and restore as an operator runs them: the real scripts, against the servers of a stack. */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { repoRoot } from "../../infra/local/repo-root.ts";
import type { RedisServer } from "./redis-server.ts";
import { cleanUpLater } from "./running.ts";

export interface ScriptRun {
  readonly code: number;
  readonly said: string;
}

export interface Manifest {
  readonly text: string;
  readonly good: boolean;
  /** Where the store's snapshot is from. */
  readonly storeFrom: string;
  /** The watermark of each partition: id and ordinal. */
  readonly watermarks: readonly { readonly id: string; readonly ordinal: number }[];
}

export interface BackupLab {
  readonly folder: string;
  backup(env?: Record<string, string>): Promise<ScriptRun>;
  /** Of a server that is down. */
  restore(kind: "store" | "log", server: RedisServer, env?: Record<string, string>, name?: string): Promise<ScriptRun>;
  /** Names of all backups, the oldest first. */
  names(): Promise<string[]>;
  manifest(name: string): Promise<Manifest>;
}

export async function openBackupLab(
  log: RedisServer,
  store: RedisServer,
  replicas: readonly RedisServer[] = [],
): Promise<BackupLab> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-backups-"));
  cleanUpLater(() => rm(folder, { recursive: true, force: true }));
  const place = ({ port }: RedisServer) => `127.0.0.1:${port}`;
  const environment = {
    PATH: process.env.PATH,
    BACKUP_DIR: folder,
    STORE_NODES: [store, ...replicas].map(place).join(","),
    LOG_NODES: place(log),
  };
  const names = async () => (await readdir(folder)).filter((name) => !name.startsWith(".")).toSorted();
  return {
    folder,
    backup: (env) => run("backup.sh", [], { ...environment, ...env }),
    restore: (kind, { dir }, env, name) =>
      run("restore.sh", [name === undefined ? "latest" : join(folder, name), kind, dir], { ...environment, ...env }),
    names,
    manifest: async (name) => {
      const text = await readFile(join(folder, name, "manifest"), "utf8");
      const noted = (what: string) => new RegExp(`^${what} (.*)$`, "m").exec(text)?.[1] ?? "";
      const watermarks = [...text.matchAll(/^watermark \d+ (\S+) (\d+)$/gm)];
      return {
        text,
        good: noted("good") === "yes",
        storeFrom: noted("store_from"),
        watermarks: watermarks.map(([, id = "", ordinal]) => ({ id, ordinal: Number(ordinal) })),
      };
    },
  };
}

function run(script: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<ScriptRun> {
  return new Promise((resolve) => {
    execFile("bash", [join(repoRoot, "infra/backup", script), ...args], { env }, (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), said: `${out}${err}` });
    });
  });
}
