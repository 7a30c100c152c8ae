/**
 * `npm start`: the whole of Millrace on this machine, until Ctrl-C. A second Ctrl-C does not wait.
 * `npm run start:ha`, which adds --ha: the same with replicas and Sentinels, its data in a folder of its own.
 */
import { join } from "node:path";
import { readLocalConfig } from "./config.ts";
import { LocalStack } from "./local-stack.ts";
import { startReaper } from "./reaper.ts";
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

let stoppingSince: number | undefined;
try {
  const config = readLocalConfig(process.env);
  const reaper = startReaper("TERM");
  const replicated = process.argv.includes("--ha");
  const dataFolder = replicated ? join(config.dataFolder, "ha") : config.dataFolder;
  const redis = replicated ? replicatedRedis : singleRedis;
  const program = "infra/local/start";
  const stack = new LocalStack({ config, dataFolder, redis, environment: process.env, reaper, program, say });
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
