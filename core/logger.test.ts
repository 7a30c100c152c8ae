import { expect, test } from "vitest";
import { describeError } from "./errors.ts";
import { maskSecrets } from "./logger.ts";
import { traceFields } from "./trace-context.ts";

test.each([
  ['{"error":"connect redis://app:s3cret@10.0.0.1:6379/0"}', '{"error":"connect redis://***@10.0.0.1:6379/0"}'],
  ["redis+sentinel://:s3cret@a:1,b:2/log", "redis+sentinel://***@a:1,b:2/log"],
  ['"a https://u:p@h/ b rediss://x:y@z"', '"a https://***@h/ b rediss://***@z"'],
  ['{"h":"Authorization: Bearer s3cret.to-ken"}', '{"h":"Authorization: Bearer ***"}'],
])("what can be told to be a secret by its form leaves no process: %s", (line, masked) => {
  expect(maskSecrets(line)).toBe(masked);
});

test.each([
  '{"msg":"api listens","host":"127.0.0.1","port":8080}',
  '{"url":"http://127.0.0.1:8080/v1/kv","mail":"ops@example.org"}',
  '{"problem":"bearer"}',
])("a line without one stays as it is: %s", (line) => {
  expect(maskSecrets(line)).toBe(line);
});

test("an error that quotes what it could not read is told without it", () => {
  const failing = () => JSON.parse("s3cret-value") as unknown;
  expect(failing).toThrow("s3cret");
  try {
    failing();
  } catch (error) {
    expect(describeError(error)).toBe("not readable: SyntaxError");
  }
  const reply = Object.assign(new Error("ERR unknown command 'X', with args beginning with: 's3cret' "), {
    name: "ReplyError",
  });
  expect(describeError(reply)).toBe("ERR unknown command 'X'");
});

test("a line's trace has the names that OpenTelemetry gives it, and is left out where there is none", () => {
  expect(traceFields("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")).toEqual({
    trace_id: "0af7651916cd43dd8448eb211c80319c",
    span_id: "b7ad6b7169203331",
  });
  for (const none of [undefined, "", "00-xyz-1-01"]) expect(traceFields(none)).toEqual({});
});
