import { describe, expect, test } from "vitest";
import { compareKeys, keyBytes } from "../core/key-bytes.ts";
import { type Random, randomFrom } from "../tests/faults/suite/random.ts";
import { type Candidate, KeyMerge, type Wanted } from "./key-merge.ts";

/** A key of some partition's index. */
interface Member extends Candidate {
  readonly expired: boolean;
}

const PIECES = ["a", "b", "/", " ", "{", "ü", "\uffff", "😀", "0"];

function membersOf(random: Random, partitions: number, count: number): Member[][] {
  const keys = new Set<string>();
  for (let i = 0; i < count; i += 1) {
    keys.add(Array.from({ length: random.integer(1, 6) }, () => random.pick(PIECES)).join(""));
  }
  const skewed = random.chance(0.3);
  const indexes: Member[][] = Array.from({ length: partitions }, () => []);
  for (const key of keys) {
    const member = { key: keyBytes(key), weight: random.integer(1, 30), expired: random.chance(0.1) };
    indexes[skewed && random.chance(0.9) ? 0 : random.integer(0, partitions - 1)]?.push(member);
  }
  for (const index of indexes) index.sort((a, b) => compareKeys(a.key, b.key));
  return indexes;
}

/** What the store answers: at most as many members as it is willing to look at. */
function readFrom(index: readonly Member[], { after, keys }: Wanted, most: number) {
  const found: Member[] = [];
  const first = after === null ? 0 : firstBehind(index, after);
  for (let at = first; at < index.length; at += 1) {
    const member = index[at] as Member;
    if (at - first === most) return { found, reach: index[at - 1]?.key ?? null };
    if (!member.expired) found.push(member);
    if (found.length === keys) return { found, reach: member.key };
  }
  return { found, reach: null };
}

function firstBehind(index: readonly Member[], key: Uint8Array): number {
  let [low, high] = [0, index.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeys((index[middle] as Member).key, key) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

interface Reads {
  rounds: number;
  keys: number;
}

/** @param rounds after which the page is taken as it is */
function pageOf(
  indexes: readonly Member[][],
  after: Uint8Array | null,
  most: { keys: number; weight: number; members: () => number; rounds: number },
  reads: Reads = { rounds: 0, keys: 0 },
) {
  const merge = new KeyMerge<Member>([...indexes.keys()], after, most.keys, most.weight);
  for (let round = 0; round < most.rounds; round += 1) {
    const wanted = merge.wanted();
    if (wanted.length === 0) break;
    reads.rounds += 1;
    for (const want of wanted) {
      const { found, reach } = readFrom(indexes[want.partition] ?? [], want, most.members());
      reads.keys += found.length;
      merge.add(want.partition, found, reach);
    }
  }
  return merge.take();
}

const hex = (keys: readonly Candidate[]) => keys.map(({ key }) => Buffer.from(key).toString("hex"));
/** By another way than the merge takes. */
const inOrder = (indexes: readonly Member[][]) =>
  indexes
    .flat()
    .filter(({ expired }) => !expired)
    .map((member) => ({ member, hex: Buffer.from(member.key).toString("hex") }))
    .toSorted((a, b) => (a.hex < b.hex ? -1 : 1))
    .map(({ member }) => member);

describe("pages of keys merged from partitions", () => {
  test("are, one after the other, all keys once and in order, whatever the partitions give at a time", () => {
    for (let seed = 0; seed < 300; seed += 1) {
      const random = randomFrom(seed);
      const indexes = membersOf(random, random.pick([1, 2, 5, 16]), random.pick([0, 1, 20, 300]));
      const most = {
        keys: random.pick([1, 3, 20, 1000]),
        weight: random.pick([1, 40, 1_000_000]),
        members: () => random.pick([1, 2, 10, 10_000]),
        rounds: random.pick([1, 3, 1_000]),
      };
      const all: Member[] = [];
      let after: Uint8Array | null = null;
      for (let page = 0; page === 0 || after !== null; page += 1) {
        const { keys, reached } = pageOf(indexes, after, most);
        const weight = keys.reduce((sum, key) => sum + key.weight, 0);
        const bounded = keys.length <= most.keys && (keys.length === 1 || weight <= most.weight);
        const onward = reached === null || after === null || compareKeys(reached, after) > 0;
        if (!bounded || !onward) throw new Error(`seed ${seed}, page ${page}`);
        all.push(...keys);
        after = reached;
      }
      expect(hex(all), `seed ${seed}`).toEqual(hex(inOrder(indexes)));
    }
  });

  test("are full, but for their bytes, as long as there are keys", () => {
    const indexes = membersOf(randomFrom(7), 8, 400);
    const all = inOrder(indexes);
    const most = { keys: 50, weight: 1_000_000, members: () => 10_000, rounds: 1_000 };
    expect(hex(pageOf(indexes, null, most).keys)).toEqual(hex(all.slice(0, 50)));
    const heavy = pageOf(indexes, null, { ...most, weight: 200 });
    const { length } = heavy.keys;
    expect(heavy.keys.reduce((sum, { weight }) => sum + weight, 0)).toBeLessThanOrEqual(200);
    expect(heavy.keys.reduce((sum, { weight }) => sum + weight, 0) + (all[length]?.weight ?? 0)).toBeGreaterThan(200);
  });

  test.each([100, 1_000])("of %i keys mostly take one round and few keys more, however deep they are", (limit) => {
    const random = randomFrom(3);
    const indexes: Member[][] = Array.from({ length: 16 }, () => []);
    for (let i = 0; i < 50_000; i += 1) {
      const member = { key: keyBytes(`k${String(i).padStart(8, "0")}`), weight: 1, expired: false };
      indexes[random.integer(0, 15)]?.push(member);
    }
    const most = { keys: limit, weight: 1_000_000, members: () => 10_000, rounds: 1_000 };
    const costs: Reads[] = [];
    for (let after: Uint8Array | null = keyBytes("k"); after !== null; ) {
      const reads = { rounds: 0, keys: 0 };
      after = pageOf(indexes, after, most, reads).reached;
      costs.push(reads);
      if (costs.length > 50_000 / limit + 1) throw new Error("pages without end");
    }
    const mean = (of: readonly Reads[], what: keyof Reads) => of.reduce((sum, one) => sum + one[what], 0) / of.length;
    expect(mean(costs, "rounds")).toBeLessThan(1.2);
    expect(mean(costs, "keys")).toBeLessThan(limit * (limit === 100 ? 2.4 : 1.5));
    const tenth = Math.floor(costs.length / 10);
    expect(mean(costs.slice(-tenth - 1, -1), "keys") / mean(costs.slice(0, tenth), "keys")).toBeLessThan(1.1);
  });
});
