/** Millrace on each of the Redises it runs on, behind one URL. */
import { httpClient, WAIT } from "./http.ts";
import { type ProcessOptions, startApi, startConsumer } from "./process.ts";
import { startRedisClusters } from "./redis-cluster.ts";
import { startRedisGroups } from "./redis-groups.ts";
import { startRedis } from "./redis-server.ts";
import { bearer, newToken, newTokensFile, scope, tokenEntry } from "./tokens.ts";
import { waitFor } from "./wait-for.ts";

export type BackEnd = "standalone" | "sentinel" | "cluster";

export interface RunningBackEnd {
  readonly url: string;
  /** May do everything; undefined where everybody may. */
  readonly token: string | undefined;
}

const PARTITIONS = 16;
const EVERYTHING = scope("*", "", "read", "write", "admin");

/** One API and one consumer. All is ended with the test file. */
export async function startBackEnd(kind: BackEnd, { tokens = false } = {}): Promise<RunningBackEnd> {
  const { log, store } = await startRedises(kind);
  const token = tokens ? newToken() : undefined;
  const file = token === undefined ? undefined : await newTokensFile(tokenEntry("all", token, [EVERYTHING]));
  const env = { MILLRACE_PARTITIONS: String(PARTITIONS) };
  const [api] = await Promise.all([
    startApi({ log, store, env: { ...env, ...file?.env } }),
    startConsumer({ log, store, env }),
  ]);
  await untilHeard(api.url, token);
  return { url: api.url, token };
}

async function startRedises(kind: BackEnd): Promise<Pick<ProcessOptions, "log" | "store">> {
  switch (kind) {
    case "standalone": {
      const [log, store] = await Promise.all([startRedis({ kind: "log" }), startRedis({ kind: "store" })]);
      return { log, store };
    }
    case "sentinel":
      return startRedisGroups();
    case "cluster":
      return startRedisClusters();
  }
}

/** Waits until the results of waiting writes are heard, of each partition: before that they are told only as applied. */
export async function untilHeard(url: string, token: string | undefined): Promise<void> {
  const client = httpClient(url, { sockets: PARTITIONS, headers: token === undefined ? {} : bearer(token) });
  await waitFor(async () => {
    const answers = await Promise.all(
      Array.from({ length: 4 * PARTITIONS }, (_, n) => client.put("warm-up", `key-${n}`, "v", WAIT)),
    );
    return answers.every(({ status }) => status === 201 || status === 204);
  });
}
