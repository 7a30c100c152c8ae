import { expect, test } from "vitest";
import { httpClient } from "../harness/http.ts";
import { startApi } from "../harness/process.ts";
import { startRedis } from "../harness/redis-server.ts";
import { startStack } from "../harness/stack.ts";
import { waitFor } from "../harness/wait-for.ts";

async function waiters(opsUrl: string): Promise<number> {
  const metrics = await (await fetch(`${opsUrl}/metrics`)).text();
  return Number(/^millrace_waiters (\d+)$/m.exec(metrics)?.[1]);
}

test.concurrent("who waits longer than a stopping API lives is told 202, and the API ends with code 0", async () => {
  const { apis, url } = await startStack({ consumers: 0 });
  const [api] = apis;
  if (!api) throw new Error("an API is needed");
  const client = httpClient(url);
  const answers = Promise.all(
    ["a", "b", "c"].map((key) => client.put("n", key, "v", { headers: { prefer: "wait=30" }, timeoutMs: 20_000 })),
  );
  await waitFor(async () => (await waiters(api.opsUrl)) === 3);
  expect(await api.stop()).toBe(0);
  expect((await answers).map(({ status }) => status)).toEqual([202, 202, 202]);
});

test.concurrent("a client that goes away while it waits gives its place back, whatever it waited for", async () => {
  const { apis, url } = await startStack({ consumers: 0 });
  const [api] = apis;
  if (!api) throw new Error("an API is needed");
  const { location } = (await httpClient(url).put("n", "k", "v")).headers;
  const client = new AbortController();
  const { signal } = client;
  const headers = { prefer: "wait=30" };
  const requests = [
    fetch(`${url}/v1/kv/n/k`, { method: "PUT", body: "v", headers, signal }),
    fetch(`${url}/v1/kv/n/k`, {
      headers: { ...headers, "millrace-min-revision": String(location?.split("/").at(-1)) },
      signal,
    }),
    fetch(`${url}${location}?wait=30`, { signal }),
  ];
  const settled = Promise.allSettled(requests);
  await waitFor(async () => (await waiters(api.opsUrl)) === 3);
  client.abort();
  await settled;
  await waitFor(async () => (await waiters(api.opsUrl)) === 0);
});

test.concurrent("a store that belongs to another installation is never read, not even while the process refuses it", async () => {
  const log = await startRedis({ kind: "log" });
  const store = await startRedis({ kind: "store" });
  const first = await startApi({ log, store, env: { MILLRACE_PARTITIONS: "4" } });
  await first.stop();
  const statuses = new Set<number>();
  // It listens for a moment only: until it was met then.
  while (statuses.size === 0) {
    const second = await startApi({ log, store, env: { MILLRACE_PARTITIONS: "5" }, waitReady: false });
    while (second.running) {
      await fetch(`${second.url}/v1/kv/n/k`).then(
        ({ status }) => statuses.add(status),
        // Not listening yet, or not any more.
        () => undefined,
      );
    }
    expect(await second.exited).toBe(1);
  }
  expect([...statuses]).toEqual([503]);
});
