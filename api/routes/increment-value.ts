/** `POST /v1/kv/{namespace}/{key}?increment=<n>`: adds to a counter, exact over 64 bits; a missing key counts from 0. */
import { partitionOf } from "../../core/partition.ts";
import type { AppDependencies } from "../dependencies.ts";
import { ProblemError } from "../errors.ts";
import type { Handler } from "../exchange.ts";
import { EXPIRY_PARAMETERS, parseExpiry } from "../expiry.ts";
import { parseKeyPath } from "../key-path.ts";
import { onlyParameters } from "../target.ts";
import { write } from "../write.ts";

const INT64_MAX = 2n ** 63n - 1n;

export function incrementValue(deps: AppDependencies): Handler {
  return async (incoming) => {
    const { namespace, key, path, query } = parseKeyPath(incoming.target);
    onlyParameters(query, ["increment", ...EXPIRY_PARAMETERS]);
    const expiry = parseExpiry(query, deps.now());
    const by = parseIncrement(query?.getAll("increment") ?? []);
    const target = { namespace, key, path, partition: partitionOf(namespace, key, deps.partitions) };
    return write(deps, incoming, target, { op: "increment", by, ...(expiry && { expiry }) });
  };
}

/** A 64-bit integer in its canonical text. */
function parseIncrement(given: readonly string[]): string {
  const [text] = given;
  if (text === undefined || given.length > 1 || !/^[+-]?\d{1,20}$/.test(text)) throw invalid();
  const value = BigInt(text.replace("+", ""));
  if (value > INT64_MAX || value < -INT64_MAX - 1n) throw invalid();
  return value.toString();
}

function invalid(): ProblemError {
  return new ProblemError("invalid-increment", "Give ?increment=<integer of 64 bits> once.");
}
