/** Base64 (RFC 4648): section 4, strict, for values; section 5, in the alphabet of URLs and without padding, for tokens of ours. */

const PATTERN = /^[A-Za-z0-9+/]*={0,2}$/;
const URL_PATTERN = /^[A-Za-z0-9_-]*$/;

/** @returns null when the text is not base64, padding included */
export function decodeBase64(text: string): Uint8Array | null {
  return text.length % 4 === 0 && PATTERN.test(text) ? Buffer.from(text, "base64") : null;
}

export function encodeBase64Url(bytes: Uint8Array | string): string {
  return Buffer.from(bytes).toString("base64url");
}

/** @returns null when the text is none: it has other characters, or a length that no bytes have */
export function decodeBase64Url(text: string): Buffer | null {
  return text.length % 4 !== 1 && URL_PATTERN.test(text) ? Buffer.from(text, "base64url") : null;
}
