import { expect, test } from "vitest";
import { LineSplitter } from "./line-splitter.ts";

/** The lines of a body that comes in pieces of this size. */
function linesOf(body: string, pieceBytes: number, maxBytes = 1_000): (string | null)[] {
  const bytes = new TextEncoder().encode(body);
  const splitter = new LineSplitter(maxBytes);
  const lines = [];
  for (let at = 0; at < bytes.length; at += pieceBytes)
    lines.push(...splitter.push(bytes.subarray(at, at + pieceBytes)));
  lines.push(...splitter.end());
  return lines.map((line) => line && new TextDecoder().decode(line));
}

test.each([
  ["", []],
  ["\n\r\n\n", []],
  ["a", ["a"]],
  ["a\nb\n", ["a", "b"]],
  ["a\r\n\r\nbé\r\nc", ["a", "bé", "c"]],
  ["\na\n\n", ["a"]],
])("%j, in whatever pieces it comes", (body, lines) => {
  for (const size of [1, 2, 3, 100]) expect(linesOf(body, size)).toEqual(lines);
});

test("a line that is too long is told as one in its place, and nothing of it is kept", () => {
  const long = "x".repeat(11);
  for (const size of [1, 4, 100]) {
    expect(linesOf(`${long}\na\n${long}${long}\n${"y".repeat(10)}\n${long}`, size, 10)).toEqual([
      ...[null, "a", null],
      ...["y".repeat(10), null],
    ]);
  }
});
