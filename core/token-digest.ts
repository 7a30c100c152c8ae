/**
 * What is kept of a token: its SHA-256, in hexadecimal. A token is some 256 random bits: there is nothing to guess that a
 * slow hash would protect.
 */
import { hash } from "node:crypto";

export function digestToken(token: string): string {
  return hash("sha256", token, "hex");
}
