/** Millrace on each of the Redises it runs on, behind one URL. */
import { httpClient, WAIT } from "./http.ts";
import { type ProcessOptions, startApi, startConsumer } from "./process.ts";
import { startRedisClusters } from "./redis-cluster.ts";
import { startRedisGroups } from "./redis-groups.ts";
import { startRedis } from "./redis-server.ts";
import { waitFor } from "./wait-for.ts";

export type BackEnd = "standalone" | "sentinel" | "cluster";

export interface RunningBackEnd {
  readonly url: string;
  readonly log: ProcessOptions["log"];
  readonly store: ProcessOptions["store"];
  /** Another consumer of the same. */
  addConsumer(): ReturnType<typeof startConsumer>;
}

const PARTITIONS = 16;

/** One API and one consumer. All is ended with the test file. */
export async function startBackEnd(kind: BackEnd, env: Record<string, string> = {}): Promise<RunningBackEnd> {
  const { log, store } = await startRedises(kind);
  const options = { log, store, env: { MILLRACE_PARTITIONS: String(PARTITIONS), ...env } };
  const [api] = await Promise.all([startApi(options), startConsumer(options)]);
  await untilHeard(api.url);
  return { url: api.url, log, store, addConsumer: () => startConsumer(options) };
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
async function untilHeard(url: string): Promise<void> {
  const client = httpClient(url, { sockets: PARTITIONS });
  await waitFor(async () => {
    const answers = await Promise.all(
      Array.from({ length: 4 * PARTITIONS }, (_, n) => client.put("warm-up", `key-${n}`, "v", WAIT)),
    );
    return answers.every(({ status }) => status === 201 || status === 204);
  });
}
