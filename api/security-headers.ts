/**
 * What browsers are told of answers with a body. Answers without one (202, 204) have nothing that they could misuse.
 */

/** Documents of ours. */
export const DOCUMENT_HEADERS = {
  // The content type is what it says.
  "X-Content-Type-Options": "nosniff",
  // Pages of others must not embed it: by CORS they may read it, where that is configured.
  "Cross-Origin-Resource-Policy": "same-origin",
  // A key stands in the address.
  "Referrer-Policy": "no-referrer",
} as const;

/** Values: somebody's bytes under somebody's content type. A browser must not run them as a page of ours. */
export const VALUE_HEADERS = { ...DOCUMENT_HEADERS, "Content-Security-Policy": "sandbox" } as const;
