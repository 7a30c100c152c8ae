/**
 * Real Redis servers with the project's own settings, the same for Millrace and for what it is compared with, and the
 * bench's own connections to them.
 */
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { Redis } from "ioredis";
import { type RedisKind, startRedisProcess } from "../infra/local/redis-process.ts";
import type { Stage } from "./stage.ts";

/** A rewrite of the append-only file is a fork that takes a core for seconds: it would fall into the other's round. */
const SETTINGS = ["--auto-aof-rewrite-percentage", "0"];

/** Starts an empty Redis on the stage; gives its URL. */
export async function startRedis(stage: Stage, kind: RedisKind): Promise<string> {
  const dir = mkdtempSync(join(stage.dir, `${kind}-`));
  const started = startRedisProcess({ kind, dir, reaper: stage.reaper, args: SETTINGS });
  await stage.add(started.then(({ child }) => child));
  return `redis://127.0.0.1:${(await started).port}`;
}

/** Runs `use` with a connection that does not outlive it and does not come back by itself: a lost Redis ends the bench. */
export async function withRedis<T>(url: string, use: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  redis.on("error", () => undefined); // Told by the command that fails too.
  try {
    await redis.connect();
    return await use(redis);
  } finally {
    redis.disconnect();
  }
}

/** One field of INFO, as a number. */
export async function infoNumber(redis: Redis, section: string, field: string): Promise<number> {
  const line = (await redis.info(section)).split("\r\n").find((l) => l.startsWith(`${field}:`));
  const value = Number(line?.slice(field.length + 1));
  if (line === undefined || Number.isNaN(value)) throw new Error(`INFO ${section} has no number ${field}`);
  return value;
}
