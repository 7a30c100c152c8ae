import { beforeAll, describe, expect, test } from "vitest";
import { compareIds } from "../../core/entry-id.ts";
import { eachOf } from "../harness/crowd.ts";
import { accepted, type HttpClient, httpClient } from "../harness/http.ts";
import { type LogReader, type Pending, readLog } from "../harness/log-reader.ts";
import { type Partitions, watchPartitions } from "../harness/partitions.ts";
import type { ConsumerProcess } from "../harness/process.ts";
import { type Action, type ArmedHook, type RedisProxy, startProxy, type Verdict } from "../harness/proxy.ts";
import { type Stack, startStack } from "../harness/stack.ts";
import { readStore, type StoreReader } from "../harness/store-reader.ts";
import { waitFor } from "../harness/wait-for.ts";

/** Where log and store are when the consumer is killed. */
interface Moment {
  /** Given to a consumer, and neither applied nor acked. */
  readonly unapplied: readonly Pending[];
  /** Applied and not acked. */
  readonly unacked: readonly Pending[];
  /** Commands in the log that are not applied. */
  readonly backlog: number;
}

interface Step {
  readonly name: string;
  /** A consumer was killed before, with entries that it had been given: this one takes over from it. */
  readonly takeover: boolean;
  readonly arm: (log: RedisProxy, store: RedisProxy, action: Action) => ArmedHook;
  /** Is this moment what the name says? Until it is, everything goes on. */
  readonly is: (moment: Moment) => boolean;
}

const MOMENT_MAX_MS = 60_000;

const ofTheDead = (pending: readonly Pending[]) => pending.some(({ consumer }) => consumer.startsWith("earlier"));

const steps: readonly Step[] = [
  {
    name: "when it has been given entries and has not seen them",
    takeover: false,
    arm: (log, _, action) => log.onReply("XREADGROUP", action),
    is: ({ unapplied, unacked }) => unapplied.length > 0 && unacked.length === 0,
  },
  {
    name: "when its apply is on its way",
    takeover: false,
    arm: (_, store, action) => store.onRequest("apply_", action),
    is: ({ unapplied }) => unapplied.length > 0,
  },
  {
    name: "when its apply is done and it has not heard of it",
    takeover: false,
    arm: (_, store, action) => store.onReply("apply_", action),
    is: ({ unacked }) => unacked.length > 0,
  },
  {
    name: "when its ack is on its way",
    takeover: false,
    arm: (log, _, action) => log.onRequest("XACK", action),
    is: ({ unacked }) => unacked.length > 0,
  },
  {
    name: "while it takes over, when it catches up by range",
    takeover: true,
    arm: (log, _, action) => log.onReply("XRANGE", action),
    is: ({ unapplied, backlog }) => backlog > 0 && ofTheDead(unapplied),
  },
  {
    name: "while it takes over, when what another was given is applied and it has not heard of it",
    takeover: true,
    arm: (_, store, action) => store.onReply("apply_", action),
    is: ({ unacked }) => ofTheDead(unacked),
  },
  {
    name: "while it takes over, when it looks for what another left unacked",
    takeover: true,
    arm: (log, _, action) => log.onRequest("XPENDING", action),
    is: ({ unacked }) => ofTheDead(unacked),
  },
  {
    name: "while it takes over, when it puts the group where the watermark is",
    takeover: true,
    arm: (log, _, action) => log.onRequest("SETID", action),
    is: ({ unacked }) => unacked.length === 0,
  },
];

describe("a consumer killed with -9 loses no command and doubles none", () => {
  let stack: Stack;
  let log: LogReader;
  let store: StoreReader;
  let proxies: { log: RedisProxy; store: RedisProxy };
  let client: HttpClient;
  let partitions: Partitions;
  let counted: number;
  let values: Map<string, string>;
  beforeAll(async () => {
    stack = await startStack({ partitions: 1, consumers: 0, env: { MILLRACE_LEASE_MS: "400" } });
    log = readLog(stack.log, 1);
    store = readStore(stack.store, 1);
    proxies = { log: await startProxy(stack.log), store: await startProxy(stack.store) };
    client = httpClient(stack.url);
    partitions = watchPartitions(stack.url);
    counted = 0;
    values = new Map();
  });

  const look = async (): Promise<Moment> => {
    const [pending, watermark, entries] = await Promise.all([log.pending(0), store.watermark(0), log.entries(0)]);
    const isApplied = ({ id }: { id: string }) => compareIds(id, watermark.id) <= 0;
    return {
      unapplied: pending.filter((each) => !isApplied(each)),
      unacked: pending.filter(isApplied),
      backlog: entries.filter((each) => !isApplied(each)).length,
    };
  };

  /** Kills the consumer at the first moment that fits, before the bytes that are on their way get there. */
  const killAt = ({ arm, is }: Step, consumer: Promise<ConsumerProcess>): Promise<Moment> =>
    new Promise((resolve, reject) => {
      let last: Moment | undefined;
      const tooLate = () => reject(new Error(`the moment never came; last seen: ${JSON.stringify(last)}`));
      const timer = setTimeout(tooLate, MOMENT_MAX_MS);
      const strike = async (): Promise<Verdict> => {
        const moment = await look();
        last = moment;
        if (!is(moment)) {
          armIt();
          return "forward";
        }
        await (await consumer).kill();
        clearTimeout(timer);
        resolve(moment);
        return "cut";
      };
      const armIt = (): void => void arm(proxies.log, proxies.store, strike).fired.catch(reject);
      armIt();
    });

  const startVictim = (name: string) =>
    stack.addConsumer({ ...proxies, waitReady: false, env: { MILLRACE_CONSUMER: `${name}-${performance.now()}` } });

  /** Kills a consumer that was at work already. */
  const killAtWork = async (name: string, step: Step): Promise<Moment> => {
    const asking = proxies.log.onReply("XREADGROUP", "forward");
    const consumer = startVictim(name);
    await asking.fired;
    const killed = killAt(step, consumer);
    await write(20);
    return killed;
  };

  const write = (count: number) =>
    eachOf(Array.from({ length: count }), 4, async (_, index) => {
      const [key, value] = [`key-${index}`, `value ${performance.now()}`];
      accepted(await client.put("crash", key, value));
      values.set(key, value);
      accepted(await client.increment("crash", "counter"));
      counted += 1;
    });

  test.each(steps.map((step) => [step.name, step] as const))("%s", async (_, step) => {
    let killed: Promise<Moment>;
    if (step.takeover) {
      const earlier = await killAtWork("earlier", steps[0] as Step);
      expect(ofTheDead(earlier.unapplied)).toBe(true);
      await write(20);
      const consumer = startVictim("killed");
      killed = killAt(step, consumer);
    } else {
      killed = killAtWork("killed", step);
    }
    const moment = await killed;
    expect(step.is(moment)).toBe(true);
    expect(step.is(await look())).toBe(true);

    const heir = await stack.addConsumer();
    await write(20);
    await partitions.drained();
    await waitFor(async () => (await log.pending(0)).length === 0, { what: "nothing left unacked" });

    expect((await client.get("crash", "counter")).text).toBe(String(counted));
    for (const [key, value] of values) expect((await client.get("crash", key)).text).toBe(value);
    expect(await store.watermark(0)).toMatchObject({ ordinal: (await log.entries(0)).length });
    await heir.stop();
  });
});
