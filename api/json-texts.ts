/**
 * Parts of a JSON document as they were written: numbers beyond 2^53, order and spaces would not survive a parser. Pure.
 * The document must be one that `JSON.parse` has taken.
 */

const SPACE = /[ \t\r\n]*/y;
/** Where a nesting or a text begins or ends. */
const STRUCTURE = /["{}[\]]/g;
const SCALAR_END = /[ \t\r\n,\]}]/g;

/** The value of an object's member; of several with one name the last, as for `JSON.parse`. Undefined: there is none. */
export function memberText(object: string, name: string): string | undefined {
  let found: string | undefined;
  eachPart(object, (from, to, key) => {
    if (key !== undefined && JSON.parse(key) === name) found = object.slice(from, to);
  });
  return found;
}

/** The elements of an array, in order. */
export function elementTexts(array: string): string[] {
  const texts: string[] = [];
  eachPart(array, (from, to) => texts.push(array.slice(from, to)));
  return texts;
}

/**
 * The elements of an array by their places.
 * @param array asked for, and cut up, only with the first of them
 */
export function elementTextsOf(array: () => string): (place: number) => string {
  let texts: readonly string[] | null = null;
  return (place) => {
    texts ??= elementTexts(array());
    return texts[place] ?? "";
  };
}

/** @param see told of each value where it begins and ends, and in an object its key, as it is written */
function eachPart(text: string, see: (from: number, to: number, key?: string) => void): void {
  let at = skipSpace(text, 0);
  const isObject = text[at] === "{";
  const end = isObject ? "}" : "]";
  at = skipSpace(text, at + 1);
  while (text[at] !== end) {
    let key: string | undefined;
    if (isObject) {
      const keyEnd = skipString(text, at);
      key = text.slice(at, keyEnd);
      at = skipSpace(text, skipSpace(text, keyEnd) + 1);
    }
    const to = skipValue(text, at);
    see(at, to, key);
    at = skipSpace(text, to);
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
}

function skipSpace(text: string, at: number): number {
  SPACE.lastIndex = at;
  SPACE.test(text);
  return SPACE.lastIndex;
}

function skipValue(text: string, at: number): number {
  const first = text[at];
  if (first === '"') return skipString(text, at);
  if (first !== "{" && first !== "[") return next(SCALAR_END, text, at);
  let depth = 0;
  for (let position = at; ; ) {
    const found = next(STRUCTURE, text, position);
    const character = text[found];
    if (character === '"') {
      position = skipString(text, found);
      continue;
    }
    depth += character === "{" || character === "[" ? 1 : -1;
    position = found + 1;
    if (depth === 0) return position;
  }
}

/** @param at of its opening quote. @returns where it has ended */
function skipString(text: string, at: number): number {
  for (let quote = at; ; ) {
    quote = text.indexOf('"', quote + 1);
    let before = quote;
    while (text[before - 1] === "\\") before -= 1;
    if ((quote - before) % 2 === 0) return quote + 1;
  }
}

function next(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.exec(text)?.index ?? text.length;
}
