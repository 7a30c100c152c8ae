/** Another version of ours, as a rolling upgrade meets it: the same build with other code in its functions, so with other names for them. */
import { appendFile, cp, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startChild } from "../../infra/local/child.ts";
import { findFreePort } from "../../infra/local/ports.ts";
import { repoRoot } from "../../infra/local/repo-root.ts";
import { type ServiceKind, serviceProgram, waitUntilReady } from "../../infra/local/service-process.ts";
import { cleanUpLater, testReaper } from "./running.ts";
import type { Stack } from "./stack.ts";

export interface OtherService {
  readonly url: string;
  /** SIGTERM. */
  stop(): Promise<number | null>;
}

export interface OtherVersion {
  start(kind: ServiceKind, stack: Stack, env: Record<string, string>): Promise<OtherService>;
}

const READY_TIMEOUT_MS = 20_000;
const STOP_GRACE_MS = 30_000;

export async function buildOtherVersion(): Promise<OtherVersion> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-other-version-"));
  cleanUpLater(() => rm(folder, { recursive: true, force: true }));
  await cp(join(repoRoot, "dist"), join(folder, "dist"), { recursive: true });
  for (const name of ["package.json", "node_modules"]) await symlink(join(repoRoot, name), join(folder, name));
  for (const name of ["append.lua", "apply.lua"]) {
    await appendFile(join(folder, "dist/packed/core", name), "\n-- of another version\n");
  }
  return {
    start: async (kind, stack, env) => {
      const [port, opsPort] = [await findFreePort(), await findFreePort()];
      const child = await startChild({
        command: process.execPath,
        args: [join(folder, serviceProgram(kind))],
        reaper: testReaper(),
        env: {
          PATH: process.env.PATH,
          PORT: String(port),
          OPS_PORT: String(opsPort),
          LOG_URL: stack.log.url,
          STORE_URL: stack.store.url,
          ...env,
        },
      });
      cleanUpLater(() => child.signal("SIGKILL"));
      await waitUntilReady(kind, child, `http://127.0.0.1:${opsPort}`, READY_TIMEOUT_MS);
      return { url: `http://127.0.0.1:${port}`, stop: () => child.stop(STOP_GRACE_MS) };
    },
  };
}
