import { expect, test } from "vitest";
import type { Command } from "../core/command.ts";
import { transactionOf } from "../core/transaction.ts";
import type { Action } from "./authorization.ts";
import { mayWithCommand, principalOf } from "./caller.ts";

const admin: Action[] = ["admin"];
const ofA = principalOf("a", [{ namespaces: ["n"], prefix: "a/", actions: admin }]);
const ofAll = principalOf("all", [{ namespaces: ["*"], prefix: "", actions: admin }]);
const command = (key: string, operation: Command["operation"] = { op: "delete" }): Command => ({
  namespace: "n",
  key,
  operation,
  awaited: false,
  acceptedMs: 1,
});
const txn = (conditions: string[], steps: string[]) =>
  command(
    "a/1",
    transactionOf(
      conditions.map((key) => ({ key, kind: "match", id: "*" })),
      steps.map((key) => ({ key, operation: { op: "delete" } })),
    ),
  );

test.each<[string, Command | null, boolean]>([
  ["of its key", command("a/1"), true],
  ["of another key", command("b/1"), false],
  ["of several of its keys", txn(["a/2"], ["a/1", "a/3"]), true],
  ["that changes another key too", txn([], ["a/1", "b/1"]), false],
  ["that only looks at another key", txn(["b/1"], ["a/1"]), false],
  ["that nobody can read", null, false],
  ["that names no key", { ...command(""), namespace: "" }, false],
  ["of Millrace's own data", { ...command("a/1"), namespace: "@millrace" }, false],
])("a command %s is its callers' business only by every key that it names", (_, of, allowed) => {
  expect(mayWithCommand(ofA, "any", of)).toBe(allowed);
  expect(mayWithCommand(ofA, "admin", of)).toBe(allowed);
  expect(mayWithCommand(ofA, "read", of)).toBe(false);
  expect(mayWithCommand(ofAll, "admin", of)).toBe(true);
});
