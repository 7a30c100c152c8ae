/**
 * `node dist/tests/smoke/main.js http://host:port [--ops http://host:port]…`: does this deployment work? Exit code 0 when it
 * does. A token is taken from MILLRACE_TOKEN: arguments are there for everybody to read.
 */
import { parseArgs } from "node:util";
import { runSmoke } from "./checks.ts";

const USAGE = "usage: smoke http://host:port [--ops http://host:port]…   (MILLRACE_TOKEN: the token to show)";
const ADDRESS = /^https?:\/\/[^/]+\/?$/;
const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

try {
  const { values, positionals } = parseArgs({
    options: { ops: { type: "string", multiple: true, default: [] } },
    allowPositionals: true,
  });
  const [url, ...more] = positionals;
  if (url === undefined || more.length > 0 || ![url, ...values.ops].every((each) => ADDRESS.test(each))) {
    throw new Error(USAGE);
  }
  const clean = (each: string): string => each.replace(/\/$/, "");
  const token = process.env.MILLRACE_TOKEN || undefined;
  const ended = await runSmoke({ url: clean(url), ops: values.ops.map(clean), token }, say);
  process.exitCode = ended ? 0 : 1;
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
}
