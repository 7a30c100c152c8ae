/**
 * The folder with the data of the local stack. Two servers on the same files would destroy them, so a lock file says who
 * works in it. It names the processes too: when a stack was killed, the next one ends what is left of it first.
 */
import { link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { endProcess, isRunning, type KnownProcess } from "./process-list.ts";

export interface DataFolder {
  readonly path: string;
  /** The folder of one server, made where it is missing. */
  dir(name: string): Promise<string>;
  /** Writes down the processes that work here now. */
  record(children: readonly KnownProcess[]): Promise<void>;
  /** The folder may be used by others. */
  release(): Promise<void>;
}

const knownProcess = z.object({ pid: z.int(), command: z.string() });
const lockContent = z.object({ owner: knownProcess, children: z.array(knownProcess) });
type Lock = z.infer<typeof lockContent>;

const STALE_GRACE_MS = 10_000;

/**
 * Makes the folder where it is missing, and takes it. Throws an error of one line when another stack works in it.
 * `say` hears of what was left by one that was killed.
 */
export async function openDataFolder(
  path: string,
  owner: KnownProcess,
  say: (line: string) => void,
): Promise<DataFolder> {
  await mkdir(path, { recursive: true });
  const lockPath = join(path, "lock");
  // Written aside and then linked or renamed: nobody ever reads half a lock.
  const draftPath = `${lockPath}.${owner.pid}`;
  const writeDraft = (lock: Lock): Promise<void> => writeFile(draftPath, JSON.stringify(lock));

  await writeDraft({ owner, children: [] });
  try {
    while (!(await linkIfFree(draftPath, lockPath))) {
      const held = await readLock(lockPath);
      if (held !== undefined && held.owner.pid !== owner.pid && (await isRunning(held.owner))) {
        throw new Error(
          `${path} is in use by the stack with process id ${held.owner.pid}: stop it, or choose another folder with MILLRACE_DATA=<folder>`,
        );
      }
      // The last started first: the servers go when nobody uses them any more.
      for (const child of held?.children.toReversed() ?? []) {
        if (await isRunning(child)) say(`ending process ${child.pid} (${child.command}) of a stack that was killed`);
        await endProcess(child, STALE_GRACE_MS);
      }
      await rm(lockPath, { force: true });
    }
  } finally {
    await rm(draftPath, { force: true });
  }
  let recorded = Promise.resolve();
  return {
    path,
    dir: async (name) => {
      await mkdir(join(path, name), { recursive: true });
      return join(path, name);
    },
    record: (children) => {
      const lock = { owner, children: [...children] };
      // One at a time: they all use the same draft.
      recorded = recorded.then(() => writeDraft(lock)).then(() => rename(draftPath, lockPath));
      return recorded;
    },
    release: () => rm(lockPath, { force: true }),
  };
}

async function linkIfFree(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

async function readLock(path: string): Promise<Lock | undefined> {
  try {
    return lockContent.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    return undefined;
  }
}
