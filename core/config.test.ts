import { describe, expect, test } from "vitest";
import { z } from "zod";
import { parseConfig, sharedConfigFields } from "./config.ts";

const schema = z.object(sharedConfigFields);
const good = { LOG_URL: "redis://h:1", STORE_URL: "redis://h:2" };

describe("configuration", () => {
  test("tells all faults at once, and no secret", () => {
    const parse = () => parseConfig(schema, { LOG_URL: "http://u:secret@h", MILLRACE_PARTITIONS: "0", OPS_PORT: "x" });
    expect(parse).toThrow(/LOG_URL.*STORE_URL.*MILLRACE_PARTITIONS.*OPS_PORT/s);
    expect(parse).toThrow(/^(?!.*secret)/s);
  });

  test("an empty variable is an unset one, and the result cannot be changed", () => {
    const config = parseConfig(schema, { ...good, MILLRACE_PARTITIONS: "" });
    expect(config.MILLRACE_PARTITIONS).toBe(16);
    expect(Object.isFrozen(config)).toBe(true);
  });
});
