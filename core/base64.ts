/** Base64 (RFC 4648, section 4), strict. */

const PATTERN = /^[A-Za-z0-9+/]*={0,2}$/;

/** @returns null when the text is not base64, padding included */
export function decodeBase64(text: string): Uint8Array | null {
  return text.length % 4 === 0 && PATTERN.test(text) ? Buffer.from(text, "base64") : null;
}
