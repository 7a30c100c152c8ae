import { expect, test } from "vitest";
import { entryOf as entry, PUT } from "./log-story.ts";
import { PartitionModel } from "./model.ts";

test("gives a resent command one effect", () => {
  const model = new PartitionModel(0).applyAll([
    entry("1-0", 1, 1, { o: "increment", k: "c", by: "5" }),
    { ...entry("2-0", 2, 1, { o: "increment", k: "c", by: "5", s: 1 }) },
  ]);
  expect(model.steps.map(({ result }) => result)).toEqual(["applied counted 5", "applied repeated"]);
  expect(model.current("n/c")?.body?.toString()).toBe("5");
});

test("counts over 64 bits exactly, and refuses what does not fit", () => {
  const model = new PartitionModel(0).applyAll([
    entry("1-0", 1, 1, { o: "increment", k: "c", by: "9223372036854775806" }),
    entry("2-0", 2, 2, { o: "increment", k: "c", by: "1" }),
    entry("3-0", 3, 3, { o: "increment", k: "c", by: "1" }),
  ]);
  expect(model.steps.at(-1)?.result).toBe("rejected increment-overflow");
  expect(model.current("n/c")?.body?.toString()).toBe("9223372036854775807");
});

test("does all of a transaction or nothing, and says where it was refused", () => {
  const steps = [
    { k: "a", o: "increment", by: "-5" },
    { k: "b", o: "put", c: "x/y", l: 3 },
    { k: "c", o: "delete" },
  ];
  const bad = steps.toSpliced(2, 0, { k: "t", o: "increment", by: "1" });
  const deal = (q: unknown[], a: unknown[]) => ({ o: "txn", k: "a", q, a });
  const model = new PartitionModel(0).applyAll([
    entry("1-0", 1, 1, { ...PUT, k: "t" }, "text"),
    entry(
      "2-0",
      2,
      2,
      deal(
        [
          ["t", 4],
          ["c", "!*"],
        ],
        steps,
      ),
      "textnew",
    ),
    entry("3-0", 3, 3, deal([["t", "=1-0"]], bad), "NEW"),
    entry(
      "4-0",
      4,
      4,
      deal(
        [
          ["t", "=1-0"],
          ["t", 4],
        ],
        steps,
      ),
      "tExtNEW",
    ),
    entry("5-0", 5, 5, deal([["a", "=2-0"]], steps), "end"),
  ]);
  expect(model.steps.map(({ result }) => result)).toEqual([
    "applied created",
    "applied committed counted:-5,created,absent",
    "rejected not-an-integer /then/2",
    "rejected condition-not-met /if/1",
    "applied committed counted:-10,replaced,absent",
  ]);
  expect(model.current("n/b")).toEqual({ id: "5-0", contentType: "x/y", body: Buffer.from("end") });
  expect([...model.outcomes.keys()]).toEqual(["2-0", "3-0", "4-0", "5-0"]);
});

test("takes a key whose time is over for absent, by a clock that never goes back, until a command removes it", () => {
  const at = (id: string, ordinal: number, t: number, header: Record<string, unknown>) =>
    entry(id, ordinal, ordinal, { k: "a", t, ...header }, "1");
  const model = new PartitionModel(0).applyAll([
    at("100-0", 1, 100, { ...PUT, x: "+50" }),
    at("120-0", 2, 149, { o: "expire" }),
    at("121-0", 3, 149, { o: "increment", by: "1" }),
    at("150-0", 4, 150, { ...PUT, k: "other" }),
    at("151-0", 5, 10, { o: "delete" }),
    at("152-0", 6, 10, { ...PUT, if: "!*", x: "k" }),
    at("153-0", 7, 10, { ...PUT, x: "200" }),
    at("154-0", 8, 9_999_999, { o: "expire" }),
    at("155-0", 9, 9_999_999, { ...PUT, x: String(155 + 60_000) }),
  ]);
  expect(model.steps.map(({ result }) => result)).toEqual([
    "applied created",
    "applied absent",
    "applied counted 2",
    "applied created",
    "applied absent",
    "applied created",
    "applied replaced",
    "applied expired",
    "applied created",
  ]);
  expect(model.clockMs).toBe(60_155);
  expect(model.versions.get("n/a")?.map(({ expiresMs }) => expiresMs)).toEqual([
    150,
    150,
    undefined,
    200,
    undefined,
    60_155,
  ]);
});
