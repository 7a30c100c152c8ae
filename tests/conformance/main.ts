/** `npm run conformance -- http://host:port [--token T] [--only <slug>]`: does a server keep the HTTP contract? */
import { parseArgs } from "node:util";
import { cleanUp } from "../harness/running.ts";
import { runFeatures } from "./console-run.ts";
import { FEATURES } from "./suite.ts";

const USAGE = `usage: npm run conformance -- http://host:port [--token T] [--only ${FEATURES.map(({ slug }) => slug).join("|")}]`;

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

try {
  const { values, positionals } = parseArgs({
    options: { token: { type: "string" }, only: { type: "string", multiple: true } },
    allowPositionals: true,
  });
  const [url, ...more] = positionals;
  const features = FEATURES.filter(({ slug }) => values.only?.includes(slug) ?? true);
  if (url === undefined || more.length > 0 || features.length === 0 || !/^https?:\/\/[^/]+\/?$/.test(url)) {
    throw new Error(USAGE);
  }
  const target = { url: url.replace(/\/$/, ""), token: values.token };
  process.exitCode = (await runFeatures(target, features, say)) ? 0 : 1;
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 2;
} finally {
  await cleanUp();
}
