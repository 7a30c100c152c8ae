/**
 * An OpenAPI 3.1 document as far as exchanges are held against it: which statuses each operation answers with, in which
 * media types and with which headers. References within the document are followed.
 */

export interface DocumentedResponse {
  readonly mediaTypes: ReadonlySet<string>;
  /** Names in lower case. */
  readonly headers: ReadonlySet<string>;
}

export interface Operation {
  readonly method: string;
  readonly template: string;
  /** By status: `200`, or a range as `4XX`. */
  readonly responses: ReadonlyMap<string, DocumentedResponse>;
}

const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
const REFERENCES_MAX = 8;

type Json = Readonly<Record<string, unknown>>;

/** @throws Error when it is no document of this kind */
export function readDocument(document: unknown): readonly Operation[] {
  const root = objectAt(document, "the document");
  const paths = objectAt(root.paths, "paths");
  return Object.entries(paths).flatMap(([template, item]) =>
    Object.entries(resolve(root, item, template))
      .filter(([method]) => METHODS.includes(method))
      .map(([method, operation]) => {
        const at = `${method.toUpperCase()} ${template}`;
        const responses = objectAt(resolve(root, operation, at).responses, `responses of ${at}`);
        return {
          method: method.toUpperCase(),
          template,
          responses: new Map(
            Object.entries(responses).map(([status, response]) => [
              status.toUpperCase(),
              readResponse(resolve(root, response, `${at} ${status}`)),
            ]),
          ),
        };
      }),
  );
}

function readResponse({ content = {}, headers = {} }: Json): DocumentedResponse {
  return {
    mediaTypes: new Set(Object.keys(objectAt(content, "content")).map((type) => type.toLowerCase())),
    headers: new Set(Object.keys(objectAt(headers, "headers")).map((name) => name.toLowerCase())),
  };
}

/** Follows `$ref` while there is one. */
function resolve(root: Json, value: unknown, at: string): Json {
  let found = objectAt(value, at);
  for (let steps = 0; typeof found.$ref === "string"; steps += 1) {
    if (steps === REFERENCES_MAX || !found.$ref.startsWith("#/")) throw new Error(`${at}: cannot follow ${found.$ref}`);
    const names = found.$ref.slice(2).split("/");
    let next: unknown = root;
    for (const name of names) next = objectAt(next, found.$ref)[decodePointer(name)];
    found = objectAt(next, found.$ref);
  }
  return found;
}

/** RFC 6901, section 4, in a URI fragment. */
function decodePointer(name: string): string {
  return decodeURIComponent(name).replaceAll("~1", "/").replaceAll("~0", "~");
}

function objectAt(value: unknown, at: string): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error(`${at} is no object`);
  return value as Json;
}
