/** Passwords for the users of infra/redis/users.sh, as a Secret mounts them: a file for each. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cleanUpLater } from "./running.ts";

const USERS = ["api", "consumer", "probe", "replication", "sentinel", "node", "operator"] as const;

export type RedisUser = (typeof USERS)[number];

export interface RedisUsers extends Readonly<Record<RedisUser, string>> {
  /** What REDIS_USERS names. */
  readonly folder: string;
}

/** The `operator` is there as well: the test looks everywhere as him. */
export async function newRedisUsers(): Promise<RedisUsers> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-users-"));
  cleanUpLater(() => rm(folder, { recursive: true, force: true }));
  const entries = USERS.map((user) => [user, randomBytes(12).toString("hex")] as const);
  for (const [user, password] of entries) await writeFile(join(folder, user), `${password}\n`);
  return { ...(Object.fromEntries(entries) as Record<RedisUser, string>), folder };
}

/** The URL of a Redis, for this user. */
export function urlFor(url: string, user: RedisUser, users: RedisUsers): string {
  return url.replace("://", `://${user}:${users[user]}@`);
}
