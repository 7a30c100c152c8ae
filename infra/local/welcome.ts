import type { LocalUrls } from "./local-stack.ts";

/** What is shown when everything is ready: where things are, and what to type first. */
export function welcome(urls: LocalUrls, dataFolder: string): string {
  const key = `${urls.api}/v1/kv/demo/hello`;
  return `
Millrace is ready.

  API       ${urls.api}
  metrics   ${urls.ops.map((ops) => `${ops}/metrics`).join("\n            ")}
  log       ${urls.log}
  store     ${urls.store}
  data      ${dataFolder}

Write a value, wait until it is applied, and read it:

  curl -i -X PUT ${key} -H 'Content-Type: text/plain' -H 'Prefer: wait=2' -d 'hello, world'
  curl -i ${key}
${urls.notes ?? ""}
Ctrl-C stops it; the data stays.
`;
}
