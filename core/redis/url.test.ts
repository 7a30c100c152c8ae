import { describe, expect, test } from "vitest";
import { describeRedisUrl, parseRedisUrl } from "./url.ts";

describe("Redis URLs", () => {
  test.each([
    ["redis://h:1", { kind: "standalone", address: { host: "h", port: 1 }, db: 0, tls: false }],
    [
      "rediss://u:p%40@h/3",
      { kind: "standalone", address: { host: "h", port: 6379 }, db: 3, tls: true, username: "u", password: "p@" },
    ],
    [
      "redis://:secret@[::1]:7",
      { kind: "standalone", address: { host: "::1", port: 7 }, db: 0, tls: false, password: "secret" },
    ],
    [
      "redis+sentinel://a:1,b/main",
      {
        kind: "sentinel",
        sentinels: [
          { host: "a", port: 1 },
          { host: "b", port: 26379 },
        ],
        master: "main",
        tls: false,
      },
    ],
    [
      "rediss+cluster://u:p@a:1,b:2",
      {
        kind: "cluster",
        nodes: [
          { host: "a", port: 1 },
          { host: "b", port: 2 },
        ],
        tls: true,
        username: "u",
        password: "p",
      },
    ],
  ])("reads %s", (text, expected) => {
    expect(parseRedisUrl(text)).toEqual(expected);
  });

  test.each([
    "",
    "http://h",
    "redis://",
    "redis://a,b",
    "redis://h:99999",
    "redis+sentinel://a:1",
    "redis+cluster://a:1/0",
    "redis://h/x",
    "redis://h:1?x=1",
  ])("refuses %j and never repeats a password", (text) => {
    expect(() => parseRedisUrl(text)).toThrow(/^(?!.*secret)/);
  });

  test("is described without its secrets", () => {
    for (const text of [
      "rediss://u:secret@h:1/2",
      "redis+sentinel://u:secret@a:1,b:2/m",
      "redis+cluster://:secret@a:1",
    ]) {
      expect(describeRedisUrl(parseRedisUrl(text))).not.toMatch(/secret|u:/);
    }
  });
});
