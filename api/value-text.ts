/**
 * Values inside JSON: as text where they are text, else as base64.
 */

/** Bytes of one piece: a function takes no unlimited number of arguments. */
const PIECE_BYTES = 8192;

/** @param cut the bytes are the begin of something longer: what is left of a cut character is not shown */
export function textOf(bytes: Uint8Array, cut = false): string | null {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes, { stream: cut });
  } catch {
    return null;
  }
}

export function base64Of(bytes: Uint8Array): string {
  const pieces: string[] = [];
  for (let at = 0; at < bytes.byteLength; at += PIECE_BYTES) {
    pieces.push(String.fromCharCode(...bytes.subarray(at, at + PIECE_BYTES)));
  }
  return btoa(pieces.join(""));
}
