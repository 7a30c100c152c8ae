/** A tokens file for APIs that tests start. */
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cleanUpLater, testReaper } from "./running.ts";

export interface TokenEntry {
  readonly name: string;
  readonly sha256: string;
  readonly expires?: string;
  readonly limit?: { readonly requests: number; readonly seconds: number };
  readonly scopes: readonly object[];
}

export interface TokensFile {
  readonly path: string;
  readonly env: { readonly MILLRACE_TOKENS_FILE: string };
  /** Puts other content in its place at once, as Kubernetes does. */
  replace(content: string): Promise<void>;
  write(...tokens: TokenEntry[]): Promise<void>;
}

/** Of one's own making, as the README says. */
export const newToken = (): string => randomBytes(32).toString("base64url");

export function tokenEntry(
  name: string,
  token: string,
  scopes: TokenEntry["scopes"],
  more: Partial<TokenEntry> = {},
): TokenEntry {
  return { name, sha256: createHash("sha256").update(token).digest("hex"), scopes, ...more };
}

export const scope = (namespace: string, prefix: string, ...actions: string[]) => ({
  namespaces: [namespace],
  prefix,
  actions,
});

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** It is gone at the end of the test file. */
export async function newTokensFile(...tokens: TokenEntry[]): Promise<TokensFile> {
  const dir = await mkdtemp(join(tmpdir(), "millrace-tokens-"));
  testReaper().watchFolder(dir);
  cleanUpLater(() => rm(dir, { recursive: true, force: true }));
  const path = join(dir, "tokens.json");
  const file: TokensFile = {
    path,
    env: { MILLRACE_TOKENS_FILE: path },
    replace: async (content) => {
      await writeFile(`${path}.new`, content);
      await rename(`${path}.new`, path);
    },
    write: (...all) => file.replace(JSON.stringify({ tokens: all })),
  };
  await file.write(...tokens);
  return file;
}
