/**
 * `npm start`: the whole of Millrace on this machine, until Ctrl-C. A second Ctrl-C does not wait.
 * `npm run start:ha`, which adds --ha: the same with replicas and Sentinels; `npm run start:cluster`, which adds --cluster:
 * with Redis Clusters. Their data is in folders of their own.
 */
import { join } from "node:path";
import { clusteredRedis } from "./clustered-redis.ts";
import { readLocalConfig } from "./config.ts";
import { LocalStack } from "./local-stack.ts";
import { readableLines } from "./log-lines.ts";
import { startReaper } from "./reaper.ts";
import type { RedisTier } from "./redis-tier.ts";
import { replicatedRedis } from "./replicated-redis.ts";
import { singleRedis } from "./single-redis.ts";
import { welcome } from "./welcome.ts";

/** npm passes on a Ctrl-C that the terminal has sent here already: two within this time are one. */
const SAME_SIGNAL_MS = 300;

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
// The terminal or the reader of a pipe may go first; stopping in order matters more than telling of it.
process.stdout.on("error", () => undefined);

function kindOf(args: readonly string[]): { readonly folder: string; readonly redis: RedisTier } {
  if (args.includes("--ha")) return { folder: "ha", redis: replicatedRedis };
  if (args.includes("--cluster")) return { folder: "cluster", redis: clusteredRedis };
  return { folder: ".", redis: singleRedis };
}

let stoppingSince: number | undefined;
try {
  const config = readLocalConfig(process.env);
  const reaper = startReaper("TERM");
  const { folder, redis } = kindOf(process.argv);
  const dataFolder = join(config.dataFolder, folder);
  const program = "infra/local/start";
  const readLine = readableLines(process.stdout.isTTY === true);
  const stack = new LocalStack({ config, dataFolder, redis, environment: process.env, reaper, program, say, readLine });
  const onSignal = (): void => {
    if (stoppingSince === undefined) {
      stoppingSince = performance.now();
      say("stopping: api, consumers, servers (Ctrl-C again: at once)");
      void stack.stop().then(() => say("stopped"));
    } else if (performance.now() - stoppingSince > SAME_SIGNAL_MS) {
      stack.kill();
      process.exitCode = 130;
    }
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
  try {
    say(welcome(await stack.start(), dataFolder));
  } catch (error) {
    await stack.stop();
    throw error;
  }
} catch (error) {
  if (stoppingSince === undefined) {
    say(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
