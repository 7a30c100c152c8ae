import { execFile } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { waitFor } from "../../../harness/wait-for.ts";
import { tell } from "../admin.ts";
import type { Nemesis } from "../nemesis.ts";
import { prefer } from "./prefer.ts";

const run = promisify(execFile);
const DISK = "192m";
const SEEN_MS = 2_500;
const MOVES_MAX = 3;
const BLOCK = Buffer.alloc(64 * 1024);

/** A node of the log gets a small disk, becomes the master, and the disk is filled to the last byte. */
export const logDiskFull: Nemesis = {
  name: "log-disk-full",
  does: "the disk under the append-only file of the log's master is full",
  needs: ["mount"],
  targets: ["log"],
  async strike({ cluster, note, later }) {
    const { log } = cluster.groups;
    const [node] = await cluster.replicas("log");
    if (node === undefined) throw new Error("the log has no replica");
    await node.kill();
    await run("mount", ["-t", "tmpfs", "-o", `size=${DISK}`, "none", node.dir]);
    later(async () => {
      await node.kill();
      await run("umount", [node.dir]);
      await node.restart();
    });
    await node.restart();
    await log.healthy();
    const preference = prefer(node);
    for (let move = 0; (await log.master()) !== node; move += 1) {
      if (move === MOVES_MAX) throw new Error("the node with the small disk never became the master");
      // The Sentinels look once a second, on a busy machine less often: they may choose another node all the same.
      await sleep(SEEN_MS);
      await log.plannedMove();
      await log.healthy();
    }
    await preference.stop();
    note(`fill the disk of ${node.host}:${node.port}`);
    const filler = join(node.dir, "filler");
    later(() => rm(filler, { force: true }));
    await fill(filler);
    await waitFor(async () => String(await tell(node, "INFO", "persistence")).includes("aof_last_write_status:err"), {
      what: "Redis to hit the end of its disk",
    });
    await sleep(3_000);
    await rm(filler, { force: true });
  },
};

async function fill(path: string): Promise<void> {
  for (const block of [BLOCK, BLOCK.subarray(0, 512), BLOCK.subarray(0, 1)]) {
    try {
      for (;;) await writeFile(path, block, { flag: "a" });
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
    }
  }
}
