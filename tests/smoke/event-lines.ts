/** Server-sent events of a response, as they come. */

export interface EventLines {
  readonly id: string;
  readonly data: string;
}

/** Events with data; leaving the loop hangs up. As the WHATWG's HTML standard says it, 9.2.6, for one line of data each. */
export async function* readEvents(response: Response): AsyncGenerator<EventLines> {
  if (response.body === null) return;
  let rest = "";
  const decoder = new TextDecoder();
  for await (const bytes of response.body) {
    const blocks = (rest + decoder.decode(bytes, { stream: true })).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) {
      const fields = new Map(block.split("\n").map((line) => splitAt(line, ": ")));
      const data = fields.get("data");
      if (data !== undefined) yield { id: fields.get("id") ?? "", data };
    }
  }
}

function splitAt(line: string, separator: string): [string, string] {
  const at = line.indexOf(separator);
  return at < 0 ? [line, ""] : [line.slice(0, at), line.slice(at + separator.length)];
}
