/**
 * Keys as their UTF-8 bytes, and the order of these, as Redis has it. That of JavaScript's strings is another one: it has what
 * is beyond U+FFFF (emoji, say) before U+E000 to U+FFFF.
 */

/** Negative when `a` comes before `b`, 0 when they are the same, positive when it comes behind. */
export function compareKeys(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b);
}

export function keyBytes(key: string): Uint8Array {
  return Buffer.from(key);
}

export function keyText(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString();
}
