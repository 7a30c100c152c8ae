/**
 * Loads our Redis Functions.
 *
 * A library's name and the names of its functions end in a hash of their code. Changed code is thus a new name: pods of
 * the old and the new version each call what they were built with, side by side, and nothing is ever replaced under a
 * running caller. Loading is idempotent, and is repeated whenever a Redis says that it does not know a function (it was
 * wiped, or a replica was promoted before it had the library).
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { ENDED_TOLD_MAX, OUTCOME_RETENTION_MS, PATCHED_VALUE_MAX_BYTES, PRODUCER_IDLE_MAX_MS } from "../limits.ts";
import type { Link } from "../redis/link.ts";

/** The Redis command that calls a function. */
export const FUNCTION_CALL = "FCALL";

export interface Library {
  readonly name: string;
  readonly code: string;
  /** The name to call a function by. */
  readonly call: (functionName: string) => string;
}

/** `no-writes` may run on a replica; `allow-oom` may run when memory is full, because it frees or is small. */
type Flag = "no-writes" | "allow-oom";

/** What the Lua files know of our bounds, so that each stands in one place. */
const BOUNDS = [
  `local ENDED_TOLD_MAX = ${ENDED_TOLD_MAX}`,
  `local PRODUCER_IDLE_MAX_MS, OUTCOME_RETENTION_MS = ${PRODUCER_IDLE_MAX_MS}, ${OUTCOME_RETENTION_MS}`,
  `local PATCHED_VALUE_MAX_BYTES = ${PATCHED_VALUE_MAX_BYTES}`,
].join("\n");

function defineLibrary(name: string, files: readonly string[], functions: Record<string, readonly Flag[]>): Library {
  const lua = files.map((file) => readFileSync(new URL(file, import.meta.url), "utf8"));
  const source = [BOUNDS, ...lua].join("\n");
  const shape = JSON.stringify(functions);
  const hash = createHash("sha256").update(source).update(shape).digest("hex").slice(0, 8);
  const registrations = Object.entries(functions).map(
    ([functionName, flags]) =>
      `redis.register_function{function_name='${functionName}_${hash}', callback=${functionName}, ` +
      `flags={${flags.map((flag) => `'${flag}'`).join(",")}}}`,
  );
  return {
    name: `${name}_${hash}`,
    code: `#!lua name=${name}_${hash}\n${source}\n${registrations.join("\n")}\n`,
    call: (functionName) => `${functionName}_${hash}`,
  };
}

const LOG_FILES = [
  "./stream-info.lua",
  "./append.lua",
  "./read-headers.lua",
  "./reconcile.lua",
  "./give-up.lua",
  "./coordinate.lua",
];

/** append, read_headers, reconcile, give_up and coordinate with what belongs to them: for the log's Redis. Reads the Lua files: once, at start. */
export function logLibrary(): Library {
  return defineLibrary("millrace_log", LOG_FILES, {
    append: [],
    position: ["no-writes"],
    read_headers: ["no-writes"],
    trim: ["allow-oom"],
    // What is moved is there already: a full log can be brought into line, too.
    fence: ["allow-oom"],
    move: ["allow-oom"],
    unfence: ["allow-oom"],
    give_up: ["allow-oom"],
    coordinate: ["allow-oom"],
    ownership: ["no-writes"],
  });
}

const STORE_FILES = [
  "./stream-info.lua",
  "./integers.lua",
  "./merge-patch.lua",
  "./operations.lua",
  "./transactions.lua",
  "./producers.lua",
  "./dead-letters.lua",
];

const STORE_READS = ["./dead-letter-reads.lua", "./list-keys.lua", "./watch-reads.lua"];

/** apply, advance, and what is read of dead letters, of many keys and by those who watch: for the store's Redis. */
export function storeLibrary(): Library {
  return defineLibrary("millrace_store", [...STORE_FILES, "./apply.lua", ...STORE_READS, "./advance.lua"], {
    apply: [],
    list_letters: ["no-writes"],
    read_letter: ["no-writes"],
    foresee_replays: ["no-writes"],
    list_keys: ["no-writes"],
    read_outcomes: ["no-writes"],
    read_revisions: ["no-writes"],
    advance: [],
  });
}

/** Loads the library on every master that does not have it. */
export async function loadLibrary(link: Link, library: Library): Promise<void> {
  for (const node of link.masters()) {
    const present = (await node.call("FUNCTION", "LIST", "LIBRARYNAME", library.name)) as unknown[];
    if (present.length > 0) continue;
    try {
      await node.call("FUNCTION", "LOAD", library.code);
    } catch (error) {
      // Another process was first: the name carries the code's hash, so what it loaded is the same.
      if (!(error instanceof Error && error.message.includes("already exists"))) throw error;
    }
  }
}

/** Is this the answer of a Redis that has lost, or never had, our functions? Nothing was executed then. */
export function isFunctionMissing(error: unknown): boolean {
  return error instanceof Error && error.message.includes("Function not found");
}
