import { expect, test } from "vitest";
import { OPERATIONS, pickOperation } from "../differential/operations.ts";
import { read } from "../differential/reads.ts";
import { World } from "../differential/world.ts";
import { randomFrom } from "../faults/suite/random.ts";
import { alongside } from "../harness/crowd.ts";
import { httpClient } from "../harness/http.ts";
import { watchPartitions } from "../harness/partitions.ts";
import { type Stack, startStack } from "../harness/stack.ts";

const OPERATIONS_IN_ALL = 20_000;
const CLIENTS = 20;
const KEYS_EACH = 12;
const KILLS = 8;
const TIMEOUT_MS = 600_000;

/** Always the same: another one is for whoever looks for faults, by the variable DIFFERENTIAL_SEED. */
const SEED = 20_261_121;

/** Of every kind there are enough to have met most of its cases. */
const LEAST_OF_A_KIND = 1;

/** @param pace awaited before each operation, with its number */
async function compareWithModel(stack: Stack, pace: (index: number) => Promise<void>): Promise<void> {
  const seed = Number(process.env.DIFFERENTIAL_SEED ?? SEED);
  process.stdout.write(`differential test: DIFFERENTIAL_SEED=${seed}\n`);
  const random = randomFrom(seed);
  const clients = stack.apis.map(({ url }) => httpClient(url));
  const counts = new Map<string, number>();
  let done = 0;
  const worlds = Array.from({ length: CLIENTS }, (_, n) => {
    const keys = Array.from({ length: KEYS_EACH }, (_key, index) => `k${index}/ü`);
    // Half of them in pinned namespaces, where keys can share a transaction.
    const namespace = `${n % 2 === 0 ? "@" : ""}client-${n}`;
    return new World(clients, random.fork(`client ${n}`), namespace, keys);
  });
  try {
    await Promise.all(
      worlds.map(async (world) => {
        while (done < OPERATIONS_IN_ALL) {
          const index = done;
          done += 1;
          await pace(index);
          const kind = pickOperation(world);
          counts.set(kind.name, (counts.get(kind.name) ?? 0) + 1);
          await kind.run(world);
        }
      }),
    );
    await watchPartitions(stack.url).drained();
    await Promise.all(worlds.flatMap((world) => world.keys.map((key) => read(world, key))));
  } catch (error) {
    throw new Error(`with DIFFERENTIAL_SEED=${seed}: ${error instanceof Error ? error.message : String(error)}`);
  }
  expect(done).toBeGreaterThanOrEqual(OPERATIONS_IN_ALL);
  for (const { name } of OPERATIONS) expect([name, (counts.get(name) ?? 0) >= LEAST_OF_A_KIND]).toEqual([name, true]);
}

test(
  "20,000 random operations get the answers that a map in memory gives, through two APIs",
  async () => {
    const stack = await startStack({ partitions: 16, apis: 2, consumers: 2 });
    await compareWithModel(stack, async () => undefined);
  },
  TIMEOUT_MS,
);

test(
  "the same while consumers are killed and others started throughout",
  async () => {
    const stack = await startStack({ partitions: 16, apis: 2, consumers: 2, env: { MILLRACE_LEASE_MS: "500" } });
    const killOne = async (): Promise<void> => {
      await stack.consumers.find(({ running }) => running)?.kill();
      await stack.addConsumer();
    };
    const kills = Array.from({ length: KILLS }, () => killOne);
    await compareWithModel(stack, alongside(Math.floor(OPERATIONS_IN_ALL / (KILLS + 1)), kills));
    expect(stack.consumers.filter(({ running }) => !running)).toHaveLength(KILLS);
  },
  TIMEOUT_MS,
);
