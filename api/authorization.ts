/**
 * Who may do what. Pure.
 *
 * A caller has scopes; each allows some actions on the keys of some namespaces that begin with its prefix. What no scope
 * allows is forbidden. Namespaces and keys are compared as they are in the log, decoded once: never as they stand in a path.
 */
import { z } from "zod";
import { KEY_MAX_BYTES, NAMESPACE_MAX_CHARS } from "../core/limits.ts";
import { SYSTEM_NAMESPACE } from "../core/partition.ts";

export const ACTIONS = ["read", "write", "admin"] as const;
/** None of them includes another. */
export type Action = (typeof ACTIONS)[number];

export interface Scope {
  /** Names, or the beginning of names and `*`; `*` alone is all of them, pinned ones (`@…`) too. */
  readonly namespaces: readonly string[];
  /** Every character counts: `a` allows `ab` too, `a/` does not. Empty: all keys. */
  readonly prefix: string;
  readonly actions: readonly Action[];
}

/** What must be allowed. */
export type Need =
  /** `any`: whoever may do something with the key. */
  | { readonly action: Action | "any"; readonly namespace: string; readonly key: string }
  /** All keys that begin with the prefix. */
  | { readonly action: Action | "any"; readonly namespace: string; readonly prefix: string }
  /** Some key of the namespace, if not all: whoever asks for it must ask for each key, too. */
  | { readonly action: Action | "any"; readonly namespace: string; readonly some: true }
  /** All keys of all namespaces. */
  | { readonly action: Action; readonly everything: true };

export function isAllowed(scopes: readonly Scope[], need: Need): boolean {
  return scopes.some((scope) => allows(scope, need));
}

function allows({ namespaces, prefix, actions }: Scope, need: Need): boolean {
  const everywhere = prefix === "" && namespaces.includes("*");
  // Our own data, of all namespaces: only who may administer everything may know of it.
  if ("namespace" in need && need.namespace === SYSTEM_NAMESPACE) return everywhere && actions.includes("admin");
  if (need.action !== "any" && !actions.includes(need.action)) return false;
  if ("everything" in need) return everywhere;
  if (!namespaces.some((pattern) => covers(pattern, need.namespace))) return false;
  if ("some" in need) return true;
  return ("key" in need ? need.key : need.prefix).startsWith(prefix);
}

function covers(pattern: string, namespace: string): boolean {
  return pattern.endsWith("*") ? namespace.startsWith(pattern.slice(0, -1)) : namespace === pattern;
}

const NAMESPACE_OR_BEGINNING = new RegExp(`^@?(?:[A-Za-z0-9][A-Za-z0-9._-]{0,${NAMESPACE_MAX_CHARS - 1}})?\\*?$`);

export const scopesSchema = z
  .array(
    z.strictObject({
      namespaces: z
        .array(
          z
            .string()
            .min(1)
            .regex(NAMESPACE_OR_BEGINNING, "is not a namespace, nor the beginning of one with * behind it"),
        )
        .min(1)
        .max(1000),
      prefix: z
        .string()
        .max(KEY_MAX_BYTES)
        .refine((text) => text.isWellFormed(), "is not Unicode text"),
      actions: z.array(z.enum(ACTIONS)).min(1),
    }),
  )
  .max(100);
