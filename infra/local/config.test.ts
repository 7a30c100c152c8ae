import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readLocalConfig } from "./config.ts";
import { repoRoot } from "./repo-root.ts";

describe("the configuration of the local stack", () => {
  it("needs nothing to be set", () => {
    expect(readLocalConfig({})).toEqual({
      port: 8080,
      opsPort: 9464,
      consumerOpsPorts: [9465, 9466],
      dataFolder: join(repoRoot, ".millrace"),
    });
  });

  it("takes a folder from anywhere", () => {
    expect(readLocalConfig({ MILLRACE_DATA: "/data" }).dataFolder).toBe("/data");
  });

  it.each([
    ["PORT", { PORT: "web" }],
    ["PORT", { PORT: "0" }],
    ["OPS_PORT", { OPS_PORT: "65534" }],
    ["PORT", { PORT: "9466" }],
  ])("names %s when it is wrong: %j", (name, environment) => {
    expect(() => readLocalConfig(environment)).toThrow(`${name}:`);
  });
});
