/**
 * What counting for the metrics page costs, of accepted PUT/s and of applied commands/s, and reading the page, more often
 * than Prometheus does. Off is no setting of Millrace: see metrics-off.ts.
 */
import { benchCost, preload } from "./cost.ts";
import { drain, drainRate } from "./drain.ts";
import { request } from "./http-request.ts";
import { interleave } from "./interleave.ts";
import { backlog, spawnConsumer, startMillrace } from "./millrace.ts";
import type { Row } from "./row.ts";
import { STOP_GRACE_MS, type Stage } from "./stage.ts";
import { putKeys } from "./wrk.ts";

const RATIO_MIN = 0.97;
const OFF = preload("metrics-off.js");

const ROUNDS = 3;
const COMMANDS = 300_000;
const LOAD_WITHIN_SECONDS = 40;

export async function benchMetricsOfPut(stage: Stage): Promise<Row[]> {
  return benchCost(stage, {
    name: "metrics",
    what: "accepted PUT/s with metrics, 64 connections",
    on: {},
    off: OFF,
    packed: false,
    ratioMin: RATIO_MIN,
    check: async (on, off) => {
      const [with_, without] = await Promise.all([page(on.opsUrl), page(off.opsUrl)]);
      if (!tells(with_) || tells(without)) throw new Error("metrics are not on where they should be, or not off");
    },
    beside: async ({ opsUrl }) => void (await page(opsUrl)),
  });
}

export async function benchMetricsOfApply(stage: Stage): Promise<Row[]> {
  const millrace = await startMillrace(stage);
  const applied = (env: Readonly<Record<string, string>>, place: number) => async (round: number) => {
    const accepted = await putKeys(
      stage,
      millrace.keysUrl,
      (2 * round + place) * COMMANDS,
      COMMANDS,
      LOAD_WITHIN_SECONDS,
    );
    const settings = { ...millrace, env: { ...millrace.env, ...env } };
    const { child: consumer } = await spawnConsumer(stage, settings, false);
    const samples = await drain(consumer, accepted, () => backlog(millrace));
    await consumer.stop(STOP_GRACE_MS);
    return drainRate(accepted, samples);
  };
  const taken = await interleave(ROUNDS, applied({}, 0), applied(OFF, 1));
  return [
    {
      name: "metrics-apply",
      what: "applied commands/s with metrics, one consumer",
      unit: "1/s",
      ours: { name: "on", rounds: taken.ours },
      baseline: { name: "off", rounds: taken.baseline },
      targets: [{ of: "ratio", bound: "at least", value: RATIO_MIN }],
    },
  ];
}

async function page(opsUrl: string): Promise<string> {
  return (await request(`${opsUrl}/metrics`, 200)).toString();
}

/** Has the process counted its first PUT, and does it look at itself? */
function tells(text: string): boolean {
  return /^millrace_append_batch_commands_count [1-9]/m.test(text) && text.includes("nodejs_heap");
}
