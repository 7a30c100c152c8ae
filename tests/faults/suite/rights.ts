/** What this machine lets a nemesis do. */
import { spawnSync } from "node:child_process";
import { isInside } from "./namespace.ts";

/**
 * `network`  links between processes can be cut.
 * `mount`    a small disk can be mounted.
 * `compiler` a C compiler, for clocks that go wrong.
 */
export type Right = "network" | "mount" | "compiler";

export function findRights(): ReadonlySet<Right> {
  const rights = new Set<Right>();
  if (isInside()) rights.add("network");
  if (isInside() && spawnSync("sh", ["-c", "mount -t tmpfs -o size=1m none /mnt && umount /mnt"]).status === 0) {
    rights.add("mount");
  }
  if (spawnSync("cc", ["--version"]).status === 0) rights.add("compiler");
  return rights;
}
