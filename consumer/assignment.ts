/**
 * Which consumer should own which partition. Pure: every consumer that sees the same list comes to the same answer.
 *
 * Rendezvous hashing (highest random weight) with bounded load: each consumer gets either the floor or the ceiling of
 * partitions / consumers, and when one comes or goes mostly the partitions that must move do.
 */

/** @returns owner by partition; empty when there is no consumer */
export function assign(partitions: number, consumers: readonly string[]): ReadonlyMap<number, string> {
  const names = [...new Set(consumers)].sort();
  const floor = Math.floor(partitions / Math.max(1, names.length));
  let extras = partitions - floor * names.length;
  const load = new Map(names.map((name) => [name, 0]));
  const owners = new Map<number, string>();
  if (names.length === 0) return owners;
  for (let partition = 0; partition < partitions; partition++) {
    const ranked = names
      .map((name) => ({ name, weight: weightOf(name, partition) }))
      .sort((a, b) => b.weight - a.weight);
    const chosen = ranked.find(({ name }) => {
      const held = load.get(name) ?? 0;
      return held < floor || (held === floor && extras > 0);
    });
    if (!chosen) throw new Error("rendezvous found no consumer with room");
    const held = load.get(chosen.name) ?? 0;
    if (held === floor) extras -= 1;
    load.set(chosen.name, held + 1);
    owners.set(partition, chosen.name);
  }
  return owners;
}

/** FNV-1a with a final mix, so that names that differ in one character spread. */
function weightOf(consumer: string, partition: number): number {
  let hash = 0x811c9dc5;
  for (const char of `${consumer}/${partition}`) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
