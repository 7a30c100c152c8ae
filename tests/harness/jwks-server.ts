/** Who issues JWTs: a server of public keys, and signatures by them or by others. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import { cleanUpLater } from "./running.ts";

export const ISSUER = "https://issuer.test";
export const AUDIENCE = "millrace";

export interface SigningKey {
  readonly kid: string;
  readonly alg: string;
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

export interface Claims {
  readonly scopes?: unknown;
  readonly sub?: string | null;
  readonly iss?: string;
  readonly aud?: string;
  /** Seconds from now; null: none. */
  readonly expiresInS?: number | null;
}

export interface JwksServer {
  readonly env: Record<string, string>;
  /** How often the keys were asked for. */
  readonly asked: number;
  /** From now on these are the keys. */
  serve(...keys: readonly SigningKey[]): void;
  /** From now on: the keys, nothing at all, or an error. */
  behave(how: "answers" | "hangs" | "fails"): void;
}

export async function newKey(kid: string, alg = "ES256"): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } };
}

export async function startJwksServer(...keys: readonly SigningKey[]): Promise<JwksServer> {
  let served = keys;
  let behaviour: Parameters<JwksServer["behave"]>[0] = "answers";
  let asked = 0;
  const server: Server = createServer((_, outgoing) => {
    asked += 1;
    if (behaviour === "hangs") return;
    outgoing.writeHead(behaviour === "fails" ? 500 : 200, { "content-type": "application/json" });
    outgoing.end(JSON.stringify({ keys: served.map(({ jwk }) => jwk) }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanUpLater(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    env: {
      MILLRACE_JWKS_URL: `http://127.0.0.1:${port}/jwks`,
      MILLRACE_JWT_ISSUER: ISSUER,
      MILLRACE_JWT_AUDIENCE: AUDIENCE,
    },
    get asked() {
      return asked;
    },
    serve: (...next) => {
      served = next;
    },
    behave: (how) => {
      behaviour = how;
    },
  };
}

/** A JWT by this key; what is not said is right. */
export function signJwt(
  key: Pick<SigningKey, "kid" | "alg"> & { privateKey: CryptoKey | Uint8Array },
  claims: Claims = {},
) {
  const { scopes, sub = "somebody", iss = ISSUER, aud = AUDIENCE, expiresInS = 600 } = claims;
  const nowS = Math.floor(Date.now() / 1000);
  const jwt = new SignJWT(scopes === undefined ? {} : { millrace: scopes })
    .setProtectedHeader({ alg: key.alg, kid: key.kid })
    .setIssuedAt()
    .setIssuer(iss)
    .setAudience(aud);
  if (sub !== null) jwt.setSubject(sub);
  if (expiresInS !== null) jwt.setExpirationTime(nowS + expiresInS);
  return jwt.sign(key.privateKey);
}
