/** Ports chosen at the first start of a stack and kept with its data: its servers remember each other by their addresses. */
import { readFile, writeFile } from "node:fs/promises";
import type { z } from "zod";
import { findFreePort, isPortFree } from "./ports.ts";

/**
 * @param path the file they are kept in
 * @param shape lists of ports by name
 * @param count how many there are of each name
 * @throws Error of one line when another program has taken one of them
 */
export async function keptPorts<Ports extends Record<string, readonly number[]>>(
  path: string,
  shape: z.ZodType<Ports>,
  count: Readonly<Record<keyof Ports, number>>,
): Promise<Ports> {
  const kept = await readFile(path, "utf8").catch(() => undefined);
  if (kept === undefined) {
    const free = new Set<number>();
    const counts = Object.entries<number>(count);
    while (free.size < counts.reduce((sum, [, some]) => sum + some, 0)) free.add(await findFreePort());
    const left = [...free];
    const chosen = shape.parse(Object.fromEntries(counts.map(([name, some]) => [name, left.splice(0, some)])));
    await writeFile(path, JSON.stringify(chosen));
    return chosen;
  }
  const known = shape.parse(JSON.parse(kept));
  for (const port of Object.values(known).flat()) {
    if (await isPortFree(port)) continue;
    throw new Error(`port ${port} is taken by another program, and the data of this stack belongs to it: see ${path}`);
  }
  return known;
}
