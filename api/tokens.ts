/**
 * The tokens file: who is let in by which token, and what for. Pure.
 *
 * A token is found by its SHA-256. How long that takes tells at most how far two digests agree: whoever asks knows the digest
 * of what he sends, and cannot make a token of the digest that he is after. A token itself is compared with nothing.
 */
import { z } from "zod";
import { RATE_LIMIT_WINDOW_MAX_S } from "../core/access-limits.ts";
import { scopesSchema } from "./authorization.ts";
import { type Principal, principalOf } from "./caller.ts";

/** Principals by the digest of their token. */
export type Tokens = ReadonlyMap<string, Principal>;

export const rateLimitSchema = z.strictObject({
  requests: z.int().min(1).max(1_000_000_000),
  seconds: z.int().min(1).max(RATE_LIMIT_WINDOW_MAX_S),
});

const tokensSchema = z.strictObject({
  tokens: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, "is 1 to 64 letters, digits, dots, dashes and underscores"),
        sha256: z.string().regex(/^[0-9a-f]{64}$/, "is 64 hexadecimal digits in lower case"),
        expires: z.iso.datetime({ offset: true }).optional(),
        limit: rateLimitSchema.optional(),
        scopes: scopesSchema,
      }),
    )
    .max(10_000),
});

/** @throws Error that tells all faults, one a line, and nothing of what stands in the file */
export function parseTokens(text: string): Tokens {
  const given = parseJson(text);
  const parsed = tokensSchema.safeParse(given);
  const faults = parsed.error?.issues.map(({ path, message }) => `${path.join(".") || "it"}: ${message}`) ?? [];
  faults.push(...repetitionsIn(given));
  if (!parsed.success || faults.length > 0) {
    throw new Error(`MILLRACE_TOKENS_FILE is not valid:\n${faults.map((fault) => `  ${fault}`).join("\n")}`);
  }
  return new Map(
    parsed.data.tokens.map(({ name, sha256, expires, limit, scopes }) => [
      sha256,
      principalOf(`token:${name}`, scopes, limit, expires === undefined ? undefined : Date.parse(expires)),
    ]),
  );
}

/** What is not JSON is no object either, and is told as that: the parser's own message would quote the file. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Two principals of one name could not be told apart, nor could two of one token. Also of a file that is not valid. */
function repetitionsIn(given: unknown): string[] {
  const tokens = (given as { tokens?: unknown } | null | undefined)?.tokens;
  if (!Array.isArray(tokens)) return [];
  return ["name", "sha256"].flatMap((field) => {
    const seen = new Set<unknown>();
    return tokens.flatMap((token: Record<string, unknown> | null, index) => {
      const value = token?.[field];
      if (value === undefined || !seen.has(value)) {
        seen.add(value);
        return [];
      }
      return [`tokens.${index}.${field}: is that of another token`];
    });
  });
}
