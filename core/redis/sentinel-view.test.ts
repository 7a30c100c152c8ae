import { describe, expect, test } from "vitest";
import { agree, parseAddress, parseSentinelView, type ReplicaView, type SentinelView } from "./sentinel-view.ts";

const replica = (address: string, more: Partial<ReplicaView> = {}): ReplicaView => ({
  address,
  promotable: true,
  inSync: true,
  ...more,
});

const view = (more: Partial<SentinelView> = {}): SentinelView => ({
  master: "a:1",
  epoch: 3,
  quiet: true,
  downAfterMs: 1000,
  replicas: [replica("b:1"), replica("c:1")],
  ...more,
});

describe("the master is who a majority of all Sentinels names at the highest epoch:", () => {
  test("two of three are a majority, one of three is not, however sure it is", () => {
    expect(agree([view(), view()], 3)?.master).toBe("a:1");
    expect(agree([view()], 3)).toBeNull();
    expect(agree([], 3)).toBeNull();
  });

  test("a stale Sentinel beside a deposed master has no say", () => {
    const newer = view({ master: "b:1", epoch: 4 });
    expect(agree([view(), newer, newer], 3)).toMatchObject({ master: "b:1", epoch: 4 });
  });

  test("while the newest epoch is known to one only, nobody is master: the majority's is just being deposed", () => {
    expect(agree([view(), view(), view({ master: "b:1", epoch: 4 })], 3)).toBeNull();
  });

  test("during a failover its leader names the old master at the new epoch, and is outvoted", () => {
    const leader = view({ epoch: 4, quiet: false });
    const told = view({ master: "b:1", epoch: 4 });
    expect(agree([leader, told, told], 3)).toMatchObject({ master: "b:1", quiet: false });
    expect(agree([leader, told, view()], 3)).toBeNull();
  });

  test("half is no majority", () => {
    expect(agree([view(), view()], 4)).toBeNull();
    expect(agree([view()], 2)).toBeNull();
  });
});

describe("replicas count", () => {
  test("as promotable when any agreeing Sentinel takes them for it, as in sync only when all do", () => {
    const lame = replica("c:1", { promotable: false, inSync: false });
    const agreement = agree([view(), view({ replicas: [replica("b:1"), lame] })], 3);
    expect(agreement).toMatchObject({ promotable: 2, known: 2, inSync: ["b:1"] });
  });

  test("as known when only one of them knows them", () => {
    expect(agree([view({ replicas: [] }), view()], 3)).toMatchObject({ promotable: 2, known: 2 });
  });

  test("as seen by those who agree, not by a stale one", () => {
    const newer = view({ master: "b:1", epoch: 4, replicas: [replica("c:1")] });
    const stale = view({ replicas: [replica("b:1"), replica("c:1"), replica("d:1")] });
    expect(agree([stale, newer, newer], 3)).toMatchObject({ promotable: 1, known: 1 });
  });
});

describe("a Sentinel's reply", () => {
  const master = (flags: string) =>
    `name log ip 10.0.0.1 port 7000 flags ${flags} config-epoch 12 down-after-milliseconds 2000`.split(" ");
  const slave = (flags: string, link = "ok", priority = "100", role = "slave", heard = "250") =>
    `ip 10.0.0.2 port 7001 flags ${flags} master-link-status ${link} slave-priority ${priority} role-reported ${role} info-refresh ${heard}`.split(
      " ",
    );

  test("gives master, epoch, down-after and replicas", () => {
    expect(parseSentinelView(master("master"), [slave("slave")])).toEqual({
      master: "10.0.0.1:7000",
      epoch: 12,
      quiet: true,
      downAfterMs: 2000,
      replicas: [{ address: "10.0.0.2:7001", promotable: true, inSync: true }],
    });
  });

  test.each(["master,s_down", "master,o_down", "master,disconnected", "master,failover_in_progress"])(
    "%s is not quiet",
    (flags) => expect(parseSentinelView(master(flags), []).quiet).toBe(false),
  );

  test.each([
    ["down", slave("slave,s_down"), false, false],
    ["not reachable", slave("slave,disconnected"), false, false],
    ["of priority 0: never in sync before, or told not to", slave("slave", "ok", "0"), false, true],
    ["without a link to its master: promotable, and behind", slave("slave", "err"), true, false],
    ["a deposed master that does not know it yet", slave("slave", "ok", "100", "master"), false, false],
    ["a deposed master that has not answered since", slave("slave", "ok", "100", "slave", "0"), false, true],
  ])("a replica that is %s", (_, fields, promotable, inSync) => {
    expect(parseSentinelView(master("master"), [fields]).replicas[0]).toMatchObject({ promotable, inSync });
  });
});

test("an address is read back as it was written, with an IPv6 host too", () => {
  expect(parseAddress("redis-0.redis:6379")).toEqual({ host: "redis-0.redis", port: 6379 });
  expect(parseAddress("fd00::1:6379")).toEqual({ host: "fd00::1", port: 6379 });
});
