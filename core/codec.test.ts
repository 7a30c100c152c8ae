import { describe, expect, test } from "vitest";
import { bodyOf, decodeEntry, encodeHeader } from "./codec.ts";
import type { Command, Operation } from "./command.ts";

const operations: Operation[] = [
  { op: "put", contentType: "text/plain; charset=utf-8", value: Buffer.from(Array.from({ length: 256 }, (_, i) => i)) },
  { op: "put", contentType: "application/octet-stream", value: Buffer.alloc(0) },
  { op: "delete" },
  { op: "increment", by: "-9223372036854775808" },
  { op: "discard", letter: "1795245173585-3" },
];

function commandWith(operation: Operation, more: Partial<Command> = {}): Command {
  return {
    namespace: "n",
    key: 'schlüssel/"\\\u{1f600}',
    operation,
    awaited: false,
    acceptedMs: 1795245173585,
    ...more,
  };
}

const fieldsOf = (header: string, body: Uint8Array = Buffer.alloc(0)) =>
  ["v1", header, "b"].map((field) => Buffer.from(field)).concat(Buffer.from(body));

describe("the codec", () => {
  test.each(operations)("gives back every command as it was: %o", (operation) => {
    const command = commandWith(operation, {
      awaited: true,
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      condition: { kind: "match", id: "12-3" },
    });
    const header = encodeHeader(command, "producer", 7);
    const entry = decodeEntry("5-6", fieldsOf(`42 ${header}`, bodyOf(command)));
    expect(entry).toEqual({
      kind: "command",
      id: "5-6",
      ordinal: 42,
      stamp: { producer: "producer", sequence: 7 },
      header,
      command,
    });
  });

  test.each([true, false])("gives back a replay and a parking policy as they were, forced: %s", (force) => {
    const [put] = operations;
    if (!put) throw new Error("no operation");
    const command = commandWith(put, { parking: "block", replays: { letter: "12-3", force } });
    const header = encodeHeader(command, "producer", 7);
    expect(decodeEntry("5-6", fieldsOf(`42 ${header}`, bodyOf(command)))).toMatchObject({ kind: "command", command });
    // Whoever knows of no replays must not take it for a put.
    expect(JSON.parse(header)).toMatchObject({ o: "replay", r: "put" });
  });

  test.each(["x", '00-","o":"delete'])("a trace context that is none is left out: %s", (traceparent) => {
    const header = `42 ${JSON.stringify({ p: "p", s: 1, t: 1, o: "delete", n: "n", k: "k", tp: traceparent })}`;
    const entry = decodeEntry("5-6", fieldsOf(header));
    expect(entry).toMatchObject({ kind: "command" });
    expect(entry).not.toHaveProperty("command.traceparent");
  });

  test("reads a discard of a letter that names no key", () => {
    const command = commandWith({ op: "discard", letter: "12-3" }, { namespace: "", key: "" });
    expect(decodeEntry("5-6", fieldsOf(`1 ${encodeHeader(command, "p", 1)}`))).toMatchObject({ command });
  });

  test.each([
    ["a foreign entry", [Buffer.from("foo"), Buffer.from("bar")]],
    ["an entry without fields", []],
    ["a missing body", fieldsOf("1 {}").slice(0, 2)],
    ["no ordinal", fieldsOf("{}")],
    ["ordinal zero", fieldsOf("0 {}")],
    ["broken JSON", fieldsOf("1 {")],
    ["JSON null", fieldsOf("1 null")],
    ["no producer", fieldsOf('1 {"s":1,"t":1,"o":"delete","n":"n","k":"k"}')],
    ["a fractional sequence", fieldsOf('1 {"p":"p","s":1.5,"t":1,"o":"delete","n":"n","k":"k"}')],
    ["an empty key", fieldsOf('1 {"p":"p","s":1,"t":1,"o":"delete","n":"n","k":""}')],
    ["a producer with a name of ours", fieldsOf('1 {"p":"@jumped","s":1,"t":1,"o":"delete","n":"n","k":"k"}')],
    ["half a surrogate pair", fieldsOf('1 {"p":"p","s":1,"t":1,"o":"delete","n":"n","k":"\\ud800"}')],
    ["a content type with a line feed", fieldsOf('1 {"p":"p","s":1,"t":1,"o":"put","c":"a\\nb","n":"n","k":"k"}')],
    ["a replay of nothing", fieldsOf('1 {"p":"p","s":1,"t":1,"o":"replay","r":"delete","n":"n","k":"k"}')],
    [
      "a replay of a discard",
      fieldsOf('1 {"p":"p","s":1,"t":1,"o":"replay","r":"discard","dl":"1-1","n":"n","k":"k"}'),
    ],
    ["a discard of no id", fieldsOf('1 {"p":"p","s":1,"t":1,"o":"discard","dl":"x","n":"n","k":"k"}')],
    ["an unknown parking", fieldsOf('1 {"p":"p","s":1,"t":1,"o":"delete","n":"n","k":"k","pk":"drop"}')],
    ["an unknown operation", fieldsOf('1 {"p":"p","s":1,"t":1,"o":"drop","n":"n","k":"k"}')],
    ["a put without content type", fieldsOf('1 {"p":"p","s":1,"t":1,"o":"put","n":"n","k":"k"}')],
    ["an increment that is no integer", fieldsOf('1 {"p":"p","s":1,"t":1,"o":"increment","by":"1e9","n":"n","k":"k"}')],
    ["a bad condition", fieldsOf('1 {"p":"p","s":1,"t":1,"o":"delete","n":"n","k":"k","if":"~1"}')],
  ])("calls %s malformed, and never throws", (_, fields) => {
    expect(decodeEntry("1-1", fields)).toMatchObject({ kind: "malformed", id: "1-1" });
  });

  test("a malformed entry of ours keeps its ordinal, a foreign one has none", () => {
    expect(decodeEntry("1-1", fieldsOf("9 {"))).toMatchObject({ ordinal: 9 });
    expect(decodeEntry("1-1", [Buffer.from("a"), Buffer.from("b")])).toMatchObject({ ordinal: 0 });
  });

  test("a newer version is told apart from rubbish", () => {
    expect(decodeEntry("1-1", [Buffer.from("v2"), Buffer.from("?")])).toEqual({
      kind: "unsupported",
      id: "1-1",
      version: "v2",
    });
  });
});
