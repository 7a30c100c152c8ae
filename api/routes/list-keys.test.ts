import { beforeEach, describe, expect, test } from "vitest";
import type { KeyPage, KeyRange } from "../../core/functions/list-keys.ts";
import { keyBytes, keyText } from "../../core/key-bytes.ts";
import { LIST_PAGE_MAX_BYTES, LIST_ROUNDS_MAX } from "../../core/limits.ts";
import { ANYBODY } from "../caller.ts";
import type { AppDependencies } from "../dependencies.ts";
import type { Incoming } from "../exchange.ts";
import { formatListCursor } from "../list-cursor.ts";
import { listKeys } from "./list-keys.ts";

const WATERMARK = { id: "9-0", ordinal: 9 };
const EMPTY: KeyPage = { watermark: WATERMARK, keys: [], reached: null };

let asked: [partition: number, range: KeyRange][];
let deps: AppDependencies;
let pages: (partition: number, range: KeyRange) => KeyPage;

beforeEach(() => {
  asked = [];
  pages = () => EMPTY;
  const store = {
    list: async (partition: number, _: string, range: KeyRange) => {
      asked.push([partition, range]);
      return pages(partition, range);
    },
    read: async (_: number, __: string, key: string) => ({
      watermark: WATERMARK,
      stored: { id: "8-0", contentType: "text/plain", value: keyBytes(`long value of ${key}`) },
    }),
  };
  deps = {
    partitions: 4,
    store,
    replicas: { list: () => Promise.reject(new Error("not asked for")), read: store.read },
    floors: { admit: () => true, floor: () => WATERMARK },
    feed: { wait: async () => ({ passed: false }) },
    now: () => 5_000,
  } as unknown as AppDependencies;
});

async function list(target: string, headers: Record<string, string> = {}) {
  const incoming = { method: "GET", target, header: (name: string) => headers[name] ?? null } as Incoming;
  const { body } = await listKeys(deps)(incoming, ANYBODY);
  if (typeof body !== "string") throw new Error("a page is text");
  return JSON.parse(body);
}

const found = (key: string, value = "v", more: { expiresMs?: number; metadata?: string } = {}) => ({
  key: keyBytes(key),
  stored: { id: "1-2", contentType: "text/plain", value: keyBytes(value), ...more },
  sizeBytes: value.length,
  whole: true,
});

describe("a list's parameters", () => {
  test.each([
    ["/v1/kv/n?limit=0", "invalid-parameter"],
    ["/v1/kv/n?limit=1001", "invalid-parameter"],
    ["/v1/kv/n?limit=", "invalid-parameter"],
    ["/v1/kv/n?limit=1e2", "invalid-parameter"],
    ["/v1/kv/n?limit=5&limit=6", "invalid-parameter"],
    ["/v1/kv/n?prefix=a&prefix=b", "invalid-parameter"],
    ["/v1/kv/n?prefix=%ff", "invalid-parameter"],
    ["/v1/kv/n?prefix=%", "invalid-parameter"],
    [`/v1/kv/n?prefix=${"p".repeat(1025)}`, "invalid-parameter"],
    ["/v1/kv/n?values=yes", "invalid-parameter"],
    ["/v1/kv/n?consistency=any", "invalid-parameter"],
    ["/v1/kv/n?cursor=", "invalid-cursor"],
    ["/v1/kv/n?cursor=abc", "invalid-cursor"],
    [`/v1/kv/n?cursor=${formatListCursor("n", keyBytes("a"), keyBytes("ab"))}`, "invalid-cursor"],
    ["/v1/kv/n?order=desc", "unknown-parameter"],
    ["/v1/kv/?prefix=a", "invalid-namespace"],
    ["/v1/kv/@millrace", "invalid-namespace"],
    ["/v1/kv/%40millrace?prefix=ns/", "invalid-namespace"],
  ])("%s is refused as %s, and nothing is read", async (target, slug) => {
    await expect(list(target)).rejects.toMatchObject({ slug });
    expect(asked).toEqual([]);
  });

  test("a minimum revision that is none is refused", async () => {
    await expect(list("/v1/kv/n", { "millrace-min-revision": "nonsense" })).rejects.toMatchObject({
      slug: "invalid-revision",
    });
  });

  test("a prefix is decoded once; it may hold slashes, and end with a cut-off name", async () => {
    await list("/v1/kv/n?prefix=a/b%2Fc%20%C3%BC%252F");
    expect(asked.map(([, { prefix }]) => keyText(prefix))).toEqual(Array(4).fill("a/b/c ü%2F"));
  });
});

describe("a list", () => {
  test("asks every partition, but of a pinned namespace the one", async () => {
    expect(await list("/v1/kv/n")).toEqual({ keys: [], cursor: null, list_complete: true });
    expect(asked.map(([partition]) => partition)).toEqual([0, 1, 2, 3]);
    asked = [];
    await list("/v1/kv/@n");
    expect(asked).toHaveLength(1);
  });

  test("tells of each key what is known, metadata as it came", async () => {
    const metadata = '{"n": 12345678901234567890, "a":[]}';
    pages = (partition) =>
      partition === 2 ? { ...EMPTY, keys: [found("a"), found("b", "vv", { expiresMs: 7_500, metadata })] } : EMPTY;
    expect((await list("/v1/kv/n")).keys).toEqual([
      { key: "a", revision: "02-1-2", content_type: "text/plain", size: 1 },
      {
        key: "b",
        revision: "02-1-2",
        expires_at: 7.5,
        content_type: "text/plain",
        size: 2,
        metadata: JSON.parse(metadata),
      },
    ]);
    const answer = await listKeys(deps)({ target: "/v1/kv/n", header: () => null } as unknown as Incoming, ANYBODY);
    expect(answer.body).toContain(`"metadata":${metadata}`);
  });

  test("gives values as text or base64, and reads long ones by themselves, as they are then", async () => {
    const binary = { ...found("b"), stored: { ...found("b").stored, value: new Uint8Array([0xef, 0xbb, 0xbf, 0xff]) } };
    const long = { ...found("c", ""), sizeBytes: 100_000, whole: false };
    pages = (partition) => (partition === 1 ? { ...EMPTY, keys: [found("a", "\ufeffü"), binary, long] } : EMPTY);
    const { keys } = await list("/v1/kv/n?values=true");
    expect(keys).toMatchObject([
      { key: "a", value: "\ufeffü", encoding: "text" },
      { key: "b", value: "77u//w==", encoding: "base64" },
      { key: "c", revision: "01-8-0", value: "long value of c", size: 15, encoding: "text" },
    ]);
  });

  test("leaves out a long value whose key went, or expired, since", async () => {
    const long = { ...found("c", ""), sizeBytes: 100_000, whole: false };
    pages = (partition) => (partition === 1 ? { ...EMPTY, keys: [found("a"), long] } : EMPTY);
    const names = async () => (await list("/v1/kv/n?values=true")).keys.map(({ key }: { key: string }) => key);
    const expired = { id: "8-0", contentType: "text/plain", value: keyBytes("v"), expiresMs: 5_000 };
    for (const stored of [null, expired]) {
      deps = { ...deps, store: { ...deps.store, read: async () => ({ watermark: WATERMARK, stored }) } };
      expect(await names()).toEqual(["a"]);
    }
  });

  test("ends a page before its values pass their bytes, and says so", async () => {
    const half = { ...found("", ""), sizeBytes: LIST_PAGE_MAX_BYTES / 2, whole: false };
    pages = (partition, { after }) =>
      partition === 1 && after === null
        ? { ...EMPTY, keys: ["a", "b", "c"].map((key) => ({ ...half, key: keyBytes(key) })) }
        : EMPTY;
    const page = await list("/v1/kv/n?values=true");
    expect(page).toMatchObject({ keys: [{ key: "a" }], list_complete: false });
    expect(page.cursor).toBe(formatListCursor("n", keyBytes(""), keyBytes("a")));
    expect((await list("/v1/kv/n")).keys).toHaveLength(3);
  });

  test("of keys that have all expired ends after a bounded number of rounds, empty, and goes on behind them", async () => {
    let looked = 0;
    pages = (partition, { after }) => {
      looked += 1;
      return { ...EMPTY, reached: keyBytes(`${keyText(after ?? keyBytes("k"))}${partition}`) };
    };
    const { keys, cursor, list_complete } = await list("/v1/kv/n?prefix=k");
    expect([keys, list_complete]).toEqual([[], false]);
    expect(looked).toBeLessThanOrEqual(4 * LIST_ROUNDS_MAX);
    const before = looked;
    pages = () => EMPTY;
    expect(await list(`/v1/kv/n?prefix=k&cursor=${cursor}`)).toEqual({ keys: [], cursor: null, list_complete: true });
    expect(looked).toBe(before);
  });

  test("waits in each partition for the minimum revision of that one, and says where it is not reached", async () => {
    let waited: unknown[] = [];
    const behind = async (...about: unknown[]) => {
      waited.push(about.slice(0, 2));
      return { passed: false } as const;
    };
    deps = { ...deps, feed: { wait: behind } };
    const revisions = "01-9-0, 02-10-0, 02-8-0";
    await expect(list("/v1/kv/n", { "millrace-min-revision": revisions })).rejects.toMatchObject({
      slug: "revision-not-reached",
    });
    expect(waited).toEqual([[2, "10-0"]]);
    waited = [];
    await list("/v1/kv/n", { "millrace-min-revision": "01-9-0, 02-8-0" });
    expect(waited).toEqual([]);
  });

  test("of a partition that went back is refused, unless a replica may answer", async () => {
    deps = {
      ...deps,
      floors: { admit: (partition) => partition !== 3, floor: () => ({ id: "99-0", ordinal: 99 }) },
      replicas: { ...deps.replicas, list: async () => EMPTY },
    };
    await expect(list("/v1/kv/n")).rejects.toMatchObject({ slug: "partition-recovering" });
    expect((await list("/v1/kv/n?consistency=replica")).list_complete).toBe(true);
  });
});
