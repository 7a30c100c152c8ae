import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { idTimeMs } from "../../core/entry-id.ts";
import { KEY, NAMESPACE, startBackedUp } from "../harness/backed-up.ts";
import { waitFor } from "../harness/wait-for.ts";

type BackedUp = Awaited<ReturnType<typeof startBackedUp>>;

let millrace: BackedUp;

beforeEach(async () => {
  millrace = await startBackedUp();
});

/** What the next test does not need must not take the machine's time. */
afterEach(() => millrace.stack.stop());

describe("restored to a point in time", () => {
  async function startAtTime() {
    const lab = millrace;
    const { store, partitions, good, put } = lab;
    await put("backed up");
    await good();
    const untilMs = Math.max(...(await put("until then")).map(({ id }) => idTimeMs(id)));
    await partitions.drained();
    const then = await store.snapshot();
    await waitFor(() => Date.now() > untilMs + 1);
    const [later] = await put("later");
    await put("last");
    const now = await store.snapshot();
    /** Everything that a restore to that time takes; the APIs stay. */
    const goBack = async () => {
      await lab.stopConsumers();
      await lab.restore();
      await lab.stack.addConsumer({ env: { MILLRACE_APPLY_UNTIL: new Date(untilMs).toISOString() } });
      for (const partition of [0, 1]) await partitions.inState(partition, "stopped");
    };
    const goOn = async () => {
      await lab.stopConsumers();
      await lab.stack.addConsumer();
      for (const partition of [0, 1]) await partitions.inState(partition, "ok");
      await partitions.drained();
    };
    return { ...lab, then, now, later, goBack, goOn };
  }

  test("exactly the commands accepted until then are applied, the partitions say so and take no writes; going on applies the rest", async () => {
    const { client, store, partitions, both, loss, then, now, later, goBack, goOn } = await startAtTime();
    await goBack();
    expect(await store.snapshot()).toEqual(then);
    const [view] = await partitions.view();
    expect(view).toMatchObject({ state: "stopped", backlog: 2 });
    expect(view?.reason).toContain("MILLRACE_APPLY_UNTIL): 2 commands");
    await waitFor(async () => (await both()).every((value) => value === "until then"));
    expect((await client.put(NAMESPACE, KEY, "refused")).text).toContain("partition-halted");
    expect(JSON.parse((await client.command(later?.text ?? "")).text)).toMatchObject({ status: "queued" });
    expect(await loss(0)).toMatchObject({ commands: 2, advice: expect.stringContaining("still has") });

    await goOn();
    expect(await store.snapshot()).toEqual(now);
    expect(await both()).toEqual(["last", "last"]);
  });

  test("what is later can be given up, by exactly that loss: it is gone for good, and new writes go on from there", async () => {
    const { client, store, partitions, both, loss, accept, put, later, goBack, goOn, restore, stopConsumers } =
      await startAtTime();
    await goBack();
    expect((await client.send("POST", "/v1/partitions/0/accept-loss?confirm=something")).status).toBe(409);
    expect([await accept(0), await accept(1)]).toEqual([200, 200]);
    expect(await loss(0)).toBeUndefined();
    await goOn();
    expect(await both()).toEqual(["until then", "until then"]);
    expect([404, 410]).toContain((await client.command(later?.text ?? "")).status);
    await put("after");
    expect(await both()).toEqual(["after", "after"]);
    const after = await store.snapshot();

    // The backup from before does not bring it back: the log has a hole there, which is told.
    await stopConsumers();
    await restore();
    await millrace.stack.addConsumer();
    for (const partition of [0, 1]) await partitions.inState(partition, "lost-base");
    expect(await loss(0)).toMatchObject({ commands: 2 });
    expect([await accept(0), await accept(1)]).toEqual([200, 200]);
    await partitions.drained();
    expect(await both()).toEqual(["after", "after"]);
    expect(Object.keys(await store.snapshot()).toSorted()).toEqual(Object.keys(after).toSorted());
  });
});
