/** What the StatefulSets of infra/redis are put through, and what was seen of them. */
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cleanUp, testReaper } from "../../harness/running.ts";
import { type Counting, startCounting } from "./counting.ts";
import { Installation } from "./installation.ts";
import { PodNetwork } from "./network.ts";
import type { Pod } from "./pod.ts";
import { renderRedis } from "./stateful-set.ts";

export interface Sight {
  readonly step: string;
  /** Nodes of log and store that say that they are a master. */
  readonly masters: Readonly<Record<"log" | "store", number>>;
  /** Has the log another master than before? */
  readonly moved: boolean;
  readonly seconds: number;
}

export interface PodsResult {
  readonly sights: readonly Sight[];
  readonly acknowledged: number;
  readonly faults: readonly string[];
  readonly refusals: readonly string[];
  /** Pods that did not end by themselves when they were told to. */
  readonly stubborn: readonly string[];
  /** Old passwords that are accepted, and new ones that are not, after all were changed. */
  readonly wrongLogins: readonly string[];
}

class Play {
  readonly #installation: Installation;
  readonly #say: (line: string) => void;
  readonly sights: Sight[] = [];
  readonly stubborn: string[] = [];
  /** What servers have refused; each forgets it with its end. */
  readonly refusals = new Set<string>();

  constructor(installation: Installation, say: (line: string) => void) {
    this.#installation = installation;
    this.#say = say;
  }

  async all(): Promise<Counting> {
    const all = this.#installation;
    await this.#step("first boot", () => each(all.redis, (pod) => pod.start()));
    await each(all.services, (pod) => pod.start());
    const counting = startCounting(() => all.url);
    await counting.goesOn("first boot");
    const steps: Record<string, () => Promise<void>> = {
      "master rescheduled with a new address": () => this.#reschedule(),
      "rolling restart, new passwords accepted": () => this.#acceptNewPasswords(),
      "rolling restart, new passwords sent": () => this.#sendNewPasswords(),
      "a node cut off": () => this.#cutOff(),
      "full restart, old passwords refused": () => this.#restartAll(counting),
    };
    for (const [name, act] of Object.entries(steps)) {
      await this.#step(name, act);
      await counting.goesOn(name);
    }
    await counting.stop();
    return counting;
  }

  async #step(step: string, act: () => Promise<void>): Promise<void> {
    const all = this.#installation;
    const fromMs = performance.now();
    const before = step === "first boot" ? undefined : await all.master("log");
    await act();
    const [log, store] = await Promise.all([all.healthy("log"), all.healthy("store")]);
    const moved = (await all.master("log")) !== before;
    const seconds = Math.round((performance.now() - fromMs) / 100) / 10;
    this.sights.push({ step, masters: { log, store }, moved, seconds });
    this.#say(JSON.stringify(this.sights.at(-1)));
  }

  /** Its node dies, and it is back at once somewhere else, with its volume. */
  async #reschedule(): Promise<void> {
    const masters = [await this.#installation.master("log"), await this.#installation.master("store")];
    await each(masters, async (pod) => {
      await pod.kill();
      await pod.start();
    });
  }

  /**
   * All three StatefulSets at once, as after a change of the scripts: each from its last pod to the first, the next one
   * when the one before is ready and (minReadySeconds) the Sentinels have seen it.
   */
  async #roll(): Promise<void> {
    const all = this.#installation;
    const roll = async (pods: readonly Pod[], seen: () => Promise<unknown>): Promise<void> => {
      for (const pod of pods.toReversed()) {
        await this.lookForRefusals([pod]);
        if (!(await pod.stop())) this.stubborn.push(pod.spec.name);
        await pod.start();
        await seen();
      }
    };
    await Promise.all([
      roll(all.sentinels, () => all.sentinelsReady()),
      roll(all.log, () => all.healthy("log")),
      roll(all.store, () => all.healthy("store")),
    ]);
  }

  async #acceptNewPasswords(): Promise<void> {
    this.#installation.acceptNewPasswords();
    await this.#roll();
  }

  async #sendNewPasswords(): Promise<void> {
    this.#installation.sendNewPasswords();
    await this.#roll();
    for (const pod of this.#installation.services) {
      if (!(await pod.stop())) this.stubborn.push(pod.spec.name);
      await pod.start();
    }
  }

  async lookForRefusals(pods: readonly Pod[]): Promise<void> {
    for (const refusal of await this.#installation.refusals(pods)) this.refusals.add(refusal);
  }

  /** The log's master and a Sentinel, which stood on the same node; until the others have another master. */
  async #cutOff(): Promise<void> {
    const all = this.#installation;
    const old = await all.master("log");
    const beside = all.sentinels[all.log.indexOf(old)];
    const node = [old, ...(beside ? [beside] : [])];
    await each(node, (pod) => pod.cut());
    while ((await all.master("log")) === old);
    await each(node, (pod) => pod.heal());
  }

  /**
   * Power is lost everywhere, and everything comes back with other addresses, the data nodes first. Not in the middle of a
   * write: what every node loses at once is beyond what is promised.
   */
  async #restartAll(counting: Counting): Promise<void> {
    const all = this.#installation;
    await counting.pause();
    await all.written();
    await this.lookForRefusals(all.redis);
    all.refuseOldPasswords();
    await each(all.redis, (pod) => pod.kill());
    await each([...all.log, ...all.store], (pod) => pod.start());
    await each(all.sentinels, (pod) => pod.start());
    counting.resume();
  }
}

async function each(pods: readonly Pod[], act: (pod: Pod) => Promise<void>): Promise<void> {
  await Promise.all(pods.map(act));
}

/** Runs it in the network namespace of this process and writes the result to a file. Throws when a step does not come to its end. */
export async function playPods(out: string, say: (line: string) => void): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-pods-"));
  testReaper().watchFolder(folder);
  const installation = new Installation(folder, renderRedis(), await PodNetwork.open(folder));
  const play = new Play(installation, say);
  try {
    const counting = await play.all();
    const faults = await counting.faults();
    await play.lookForRefusals(installation.redis);
    const wrongLogins = await installation.wrongLogins();
    const { sights, stubborn } = play;
    const { acknowledged } = counting;
    const result: PodsResult = { sights, acknowledged, faults, refusals: [...play.refusals], stubborn, wrongLogins };
    await writeFile(out, JSON.stringify(result));
  } catch (error) {
    for (const pod of [...installation.redis, ...installation.services]) {
      say(`== ${pod.spec.name}\n${pod.logs().slice(-25).join("\n")}`);
    }
    throw error;
  } finally {
    await cleanUp();
  }
}
