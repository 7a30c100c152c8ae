import { beforeAll, describe, expect, test } from "vitest";
import { Log } from "../../core/log.ts";
import { parseOwnerWord } from "../../core/partition-state.ts";
import { keepDoing } from "../harness/crowd.ts";
import { type Answer, accepted, applied, type HttpClient, httpClient, WAIT } from "../harness/http.ts";
import { openLink } from "../harness/link.ts";
import { readLog } from "../harness/log-reader.ts";
import { remember } from "../harness/older-copy.ts";
import { type Partitions, watchPartitions } from "../harness/partitions.ts";
import { openProducer } from "../harness/producer.ts";
import { type RedisProxy, startProxy } from "../harness/proxy.ts";
import { type Stack, startStack } from "../harness/stack.ts";
import { readStore, type StoreReader } from "../harness/store-reader.ts";
import { waitFor } from "../harness/wait-for.ts";

const NAMESPACE = "went-back";
const KEY = "key";

let stack: Stack;
let client: HttpClient;
let partitions: Partitions;
let store: StoreReader;
let storeProxy: RedisProxy;

/** One partition; consumers reach the store through a proxy, so that a replay can be held up. */
beforeAll(async () => {
  stack = await startStack({ partitions: 1, consumers: 0, env: { MILLRACE_LEASE_MS: "600" } });
  client = httpClient(stack.url);
  partitions = watchPartitions(stack.url);
  store = readStore(stack.store, 1);
  storeProxy = await startProxy(stack.store);
  await startConsumer();
});

const openLog = async () => new Log(await openLink(stack.log.url), 1);
const startConsumer = () => stack.addConsumer({ store: storeProxy });
const put = async (value: string) =>
  applied(
    await waitFor(async () => {
      const answer = await client.put(NAMESPACE, KEY, value, WAIT);
      return answer.status < 300 && answer.status !== 202 && answer;
    }),
  );

/** Each apply from the next on waits until it is let go, also when its sender tries again. */
function holdReplay(): { reached: Promise<unknown>; goOn: () => void } {
  let goOn = () => undefined as unknown;
  let arrive = () => undefined as unknown;
  const held = new Promise((resolve) => {
    goOn = () => resolve(undefined);
  });
  const reached = new Promise((resolve) => {
    arrive = () => resolve(undefined);
  });
  let holding = true;
  void held.then(() => {
    holding = false;
  });
  const arm = (): void =>
    void storeProxy.onRequest("$14\r\napply_", async () => {
      if (holding) arm();
      arrive();
      await held;
      return "forward";
    });
  arm();
  return { reached, goOn };
}

const expectRecovering = (answer: Answer): void => {
  expect(answer.status, answer.text).toBe(503);
  expect(answer.text).toContain("partition-recovering");
  expect(Number(answer.headers["retry-after"])).toBeGreaterThan(0);
};

/** Reads without a pause; what came of each read that was answered from the store. */
function keepReading(): { seen: Set<string>; stop: () => Promise<void> } {
  const seen = new Set<string>();
  const load = keepDoing(2, async () => {
    const answer = await client.get(NAMESPACE, KEY);
    seen.add(answer.status === 200 ? answer.text : String(answer.status));
  });
  return { seen, stop: () => load.stop() };
}

describe("a store that went back, its log complete:", () => {
  test("it is empty: reads are refused until it is where it was, never 404; writes are accepted; all is told", async () => {
    await put("1");
    await put("2");
    const reading = keepReading();
    await waitFor(() => reading.seen.has("2"));
    const replay = holdReplay();
    await stack.store.wipe();
    await replay.reached;
    expectRecovering(
      await waitFor(async () =>
        [await client.get(NAMESPACE, KEY)].find(({ text }) => !text.includes("store-unavailable")),
      ),
    );
    expectRecovering(
      await client
        .send("HEAD", `/v1/kv/${NAMESPACE}/${KEY}`)
        .then((head) => ({ ...head, text: "partition-recovering" })),
    );
    accepted(await client.put(NAMESPACE, "other", "x"));
    expect((await partitions.inState(0, "recovering")).reason).toMatch(/from command 0 to [2-9]/);
    const [consumer] = stack.consumers;
    for (const { opsUrl } of [...stack.apis, ...(consumer ? [consumer] : [])]) {
      await waitFor(async () =>
        (await (await fetch(`${opsUrl}/metrics`)).text()).includes(
          'millrace_partition_state{partition="0",state="recovering"} 1',
        ),
      );
    }
    await waitFor(() => reading.seen.has("503"));
    replay.goOn();
    await waitFor(async () => (await client.get(NAMESPACE, KEY)).text === "2");
    await partitions.inState(0, "ok");
    await reading.stop();
    expect([...reading.seen].toSorted()).toEqual(["2", "503"]);
  });

  test("it is older: an older value is not served again", async () => {
    await put("old");
    const forget = await remember(stack.store);
    await put("new");
    const reading = keepReading();
    await waitFor(() => reading.seen.has("new"));
    const replay = holdReplay();
    await forget();
    await replay.reached;
    expectRecovering(
      await waitFor(async () =>
        [await client.get(NAMESPACE, KEY)].find(({ text }) => !text.includes("store-unavailable")),
      ),
    );
    await waitFor(() => reading.seen.has("503"));
    replay.goOn();
    await waitFor(async () => (await client.get(NAMESPACE, KEY)).text === "new");
    await reading.stop();
    expect([...reading.seen].toSorted()).toEqual(["503", "new"]);
  });

  test("a short replay is waited for: the read is answered, not refused", async () => {
    await put("before");
    const replay = holdReplay();
    await stack.store.wipe();
    await replay.reached;
    const read = waitFor(async () => {
      const answer = client.get(NAMESPACE, KEY);
      setTimeout(replay.goOn, 100);
      return (await answer).status === 200 && answer;
    });
    expect((await read).text).toBe("before");
  });

  test("its owner dies with it: who takes over and an API that is new know how far it was", async () => {
    await put("before");
    const { ordinal } = await store.watermark(0);
    // It tells how far it is with its lease.
    await waitFor(async () => (await client.get(NAMESPACE, KEY)).status === 200);
    await waitFor(async () => {
      const { states } = await (await openLog()).ownership();
      return parseOwnerWord(states.get(0) ?? "")?.reached?.ordinal === ordinal;
    });
    await stack.consumers.at(-1)?.kill();
    const replay = holdReplay();
    await stack.store.wipe();
    await startConsumer();
    await replay.reached;
    const api = await stack.addApi();
    const fresh = httpClient(api.url);
    expect((await watchPartitions(api.url).inState(0, "recovering")).reason).toContain(`to ${ordinal}`);
    expectRecovering(await fresh.get(NAMESPACE, KEY));
    replay.goOn();
    await waitFor(async () => (await fresh.get(NAMESPACE, KEY)).text === "before");
    await api.stop();
  });
});

describe("an operator's command moves a partition on that has lost its base:", () => {
  const show = async () => JSON.parse((await client.send("GET", "/v1/partitions/0")).text) as Record<string, never>;
  const accept = (confirm: string) =>
    client.send("POST", `/v1/partitions/0/accept-loss?confirm=${encodeURIComponent(confirm)}`);

  interface Shown {
    loss?: { commands: number; ordinals: { from: number; to: number }; storeEmpty: boolean; confirm: string };
    losses: { commands: number }[];
    state: string;
  }
  const shown = async () => (await show()) as unknown as Shown;

  test("store empty, log trimmed: it says what is lost, and only for exactly that loss it goes on", async () => {
    await put("lost");
    await (await openProducer(stack.log, 1)).increments(0, NAMESPACE, "lost", 1, 3);
    await partitions.drained();
    const lostUpTo = await store.watermark(0);
    applied(await client.put(NAMESPACE, "kept", "kept", WAIT));
    const { ordinal } = await store.watermark(0);
    expect((await accept("anything")).status).toBe(409);
    expect((await shown()).loss).toBeUndefined();
    await (await openLog()).trim(0, lostUpTo.id);
    await stack.store.wipe();

    await partitions.inState(0, "lost-base");
    const { loss } = await shown();
    expect(loss).toMatchObject({
      commands: lostUpTo.ordinal,
      ordinals: { from: 1, to: lostUpTo.ordinal },
      storeEmpty: true,
    });
    expectRecovering(await client.get(NAMESPACE, "kept"));
    expect((await client.put(NAMESPACE, KEY, "refused")).text).toContain("partition-halted");
    expect((await accept(`x${loss?.confirm}`)).text).toContain("loss-changed");
    expect((await client.send("POST", "/v1/partitions/0/accept-loss")).status).toBe(400);
    expect((await client.send("POST", `/v1/partitions/1/accept-loss?confirm=x`)).status).toBe(404);
    expect((await client.send("GET", `/v1/partitions/01`)).status).toBe(404);
    expect((await accept("anything")).status).toBe(409);
    expect(await store.watermark(0)).toEqual({ id: "0-0", ordinal: 0 });

    expect((await accept(loss?.confirm ?? "")).status).toBe(200);
    await partitions.inState(0, "ok");
    expect((await store.watermark(0)).ordinal).toBe(ordinal);
    expect((await accept(loss?.confirm ?? "")).text).toContain("nothing-lost");
    await waitFor(async () => (await client.get(NAMESPACE, "kept")).text === "kept");
    expect((await client.get(NAMESPACE, KEY)).status).toBe(404);
    const line = await stack.consumers.at(-1)?.waitForLog("an operator has accepted a loss");
    expect(JSON.parse(line ?? "{}")).toMatchObject({ level: "error", lost: lostUpTo.ordinal });
    expect((await shown()).losses).toMatchObject([{ commands: lostUpTo.ordinal }]);
    await put("after");

    // Redis trims whole nodes: what is lost is still there, and must not come back over what is newer.
    const forget = await remember(stack.log);
    await put("newer");
    await forget();
    await stack.consumers.at(-1)?.waitForLog("the log had gone back");
    await put("newest");
    await partitions.drained();
    expect((await client.get(NAMESPACE, "lost")).status).toBe(404);
  });

  test("neither log nor store holds what was applied: told, and after the command reads and writes go on", async () => {
    await put("old");
    const forget = await Promise.all([remember(stack.log), remember(stack.store)]);
    await put("lost by both");
    await put("lost by both, too");
    const { ordinal } = await store.watermark(0);
    // Its owner has heard of it, too: it is acked.
    await waitFor(async () => (await readLog(stack.log, 1).pending(0)).length === 0);
    await Promise.all(forget.map((each) => each()));

    expect((await partitions.inState(0, "lost-base")).reason).toContain("neither log nor store");
    const { loss } = await shown();
    expect(loss).toMatchObject({ ordinals: { to: ordinal }, storeEmpty: false });
    expectRecovering(await client.get(NAMESPACE, KEY));
    expect((await accept(loss?.confirm ?? "")).status).toBe(200);
    await partitions.inState(0, "ok");
    await waitFor(async () => (await client.get(NAMESPACE, KEY)).text === "old");
    await put("after");
    expect((await client.get(NAMESPACE, KEY)).text).toBe("after");
  });
});
