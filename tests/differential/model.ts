/**
 * What Millrace should be, in memory: a map of keys, and what each write makes of it. It knows nothing of partitions, logs
 * or time; a revision is whatever the write's answer called it.
 */

/** When a key expires: at a time that the write gave, or some time after it, which the first read tells. */
export type Expiry = { readonly atS: number } | { readonly ttlS: number; told?: string };

export interface Entry {
  readonly value: string;
  readonly contentType: string;
  readonly revision: string;
  readonly expiry: Expiry | undefined;
  readonly metadata: string | undefined;
}

export type Condition = { readonly kind: "match" | "none-match"; readonly revision: string };

/** Absent expiry: put takes it away, the others keep it. */
export type Write =
  | {
      readonly op: "put";
      readonly value: string;
      readonly contentType: string;
      readonly metadata?: string;
      readonly expiry?: Expiry | "keep";
    }
  | { readonly op: "delete" }
  | { readonly op: "increment"; readonly by: string; readonly expiry?: Expiry | "keep" }
  | { readonly op: "patch"; readonly patch: string; readonly expiry?: Expiry | "keep" };

export type Outcome =
  | { readonly kind: "created" | "replaced" | "deleted" | "absent" }
  | { readonly kind: "counted"; readonly value: string }
  | { readonly kind: "rejected"; readonly reason: "condition-not-met" | Unfit };

type Unfit = "not-an-integer" | "increment-overflow" | "not-json";

const INTEGER = /^(0|-?[1-9]\d*)$/;
const INT64_MAX = 2n ** 63n - 1n;

export class Model {
  readonly #entries = new Map<string, Entry>();

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  /** In byte order. */
  keys(): readonly string[] {
    return [...this.#entries.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  }

  /** Its time is over. */
  expire(key: string): void {
    this.#entries.delete(key);
  }

  apply(key: string, write: Write, condition: Condition | undefined, revision: string): Outcome {
    const before = this.#entries.get(key);
    if (condition !== undefined && !isMet(condition, before)) return { kind: "rejected", reason: "condition-not-met" };
    const effect = before === undefined ? "created" : "replaced";
    switch (write.op) {
      case "delete":
        return { kind: this.#entries.delete(key) ? "deleted" : "absent" };
      case "put": {
        const { value, contentType, metadata } = write;
        const expiry = write.expiry === "keep" ? before?.expiry : write.expiry;
        this.#entries.set(key, { value, contentType, metadata, expiry, revision });
        return { kind: effect };
      }
      case "increment": {
        const value = sum(before?.value ?? "0", write.by);
        if (typeof value === "object") return { kind: "rejected", reason: value.reason };
        this.#change(key, before, value, "text/plain", write.expiry, revision);
        return { kind: "counted", value };
      }
      case "patch": {
        const value = patched(before?.value ?? "{}", write.patch);
        if (value === null) return { kind: "rejected", reason: "not-json" };
        this.#change(key, before, value, "application/json", write.expiry, revision);
        return { kind: effect };
      }
    }
  }

  /** The value changes; all else stays, but for the expiry where another is given. */
  #change(
    key: string,
    before: Entry | undefined,
    value: string,
    defaultType: string,
    given: Expiry | "keep" | undefined,
    revision: string,
  ): void {
    this.#entries.set(key, {
      value,
      contentType: before?.contentType ?? defaultType,
      metadata: before?.metadata,
      expiry: given === undefined || given === "keep" ? before?.expiry : given,
      revision,
    });
  }
}

function isMet({ kind, revision }: Condition, entry: Entry | undefined): boolean {
  const same = entry !== undefined && (revision === "*" || revision === entry.revision);
  return same === (kind === "match");
}

function sum(before: string, by: string): string | { readonly reason: Unfit } {
  if (!INTEGER.test(before) || !fits(BigInt(before))) return { reason: "not-an-integer" };
  const value = BigInt(before) + BigInt(by);
  return fits(value) ? value.toString() : { reason: "increment-overflow" };
}

function fits(value: bigint): boolean {
  return value <= INT64_MAX && value >= -INT64_MAX - 1n;
}

/** RFC 7396, section 2. Exact only for texts that JSON.stringify would write, as those of the differential test are. */
function patched(target: string, patch: string): string | null {
  try {
    return JSON.stringify(merge(JSON.parse(target), JSON.parse(patch)));
  } catch {
    return null;
  }
}

function merge(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = merge(result[name], value);
  }
  return result;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
