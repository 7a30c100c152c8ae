/**
 * What a route can need, by what its path names. Pure.
 *
 * Each reads the target as the route's handler does, with the same functions: two readings that differ would be a way around.
 */
import type { Action, Need } from "./authorization.ts";
import { ProblemError } from "./errors.ts";
import type { Incoming } from "./exchange.ts";
import { parseKeyPath, parseNamespace } from "./key-path.ts";
import { splitTarget } from "./target.ts";

export interface Statement {
  /** `none`: open to all, with or without a token. */
  readonly action: Action | "any" | "none";
  /**
   * What must be allowed before the handler is called. Null where only the handler can tell, because what counts is the key
   * of an entry, or what the body names: it asks its caller.
   */
  readonly need: ((incoming: Pick<Incoming, "target">) => Need) | null;
}

/** For documents about Millrace itself. */
export const open: Statement = { action: "none", need: null };

/** `…/{namespace}/{key}`, as routes for keys are read. */
export const ofKey = (action: Action): Statement => ({
  action,
  need: ({ target }) => {
    const { namespace, key } = parseKeyPath(target);
    return { action, namespace, key };
  },
});

/**
 * `<base>{namespace}?prefix=`: all keys that begin with the prefix.
 * @param base path up to the namespace, slash included
 */
export const ofPrefix = (action: Action, base: string): Statement => ({
  action,
  need: ({ target }) => {
    const [prefix = "", second] = splitTarget(target).query?.getAll("prefix") ?? [];
    if (second !== undefined) throw new ProblemError("invalid-parameter", "prefix is given more than once.");
    return { action, namespace: namespaceIn(target, base), prefix };
  },
});

/** `<base>{namespace}…`: the namespace as a whole. */
export const ofNamespace = (action: Action, base: string): Statement => ({
  action,
  need: ({ target }) => ({ action, namespace: namespaceIn(target, base), prefix: "" }),
});

/** `<base>{namespace}`, where the body names the keys: the handler demands each of its caller. */
export const ofSome = (action: Action, base: string): Statement => ({
  action,
  need: ({ target }) => ({ action, namespace: namespaceIn(target, base), some: true }),
});

/** Of what cannot be divided by key. */
export const ofEverything = (action: Action): Statement => ({ action, need: () => ({ action, everything: true }) });

/** Of one entry of the log, or one job: who may not know its keys is told that there is none. */
export const ofEntry = (action: Action | "any"): Statement => ({ action, need: null });

/** @throws ProblemError `invalid-namespace` */
function namespaceIn(target: string, base: string): string {
  const [segment = ""] = splitTarget(target).path.slice(base.length).split("/");
  return parseNamespace(segment);
}
