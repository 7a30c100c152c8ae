/**
 * Counts what a process puts in the log: commands, groups, and how long each group took.
 */
import type { GroupLog } from "./appender.ts";
import { GRADES, type Grade } from "./grade.ts";
import { Histogram } from "./histogram.ts";
import type { Readings, Series } from "./metrics-page.ts";
import { METRICS } from "./telemetry.ts";

type Name = "commandsAccepted" | "appendFailures" | "appendBatch" | "appendDuration";

interface Lane {
  accepted: number;
  failures: number;
  readonly seconds: Histogram;
}

export class AppendMeter {
  readonly #lanes: Readonly<Record<Grade, Lane>>;
  readonly #batch = new Histogram(METRICS.appendBatch.buckets);

  constructor() {
    const lane = (): Lane => ({
      accepted: 0,
      failures: 0,
      seconds: new Histogram(METRICS.appendDuration.buckets),
    });
    this.#lanes = { memory: lane(), replicated: lane(), disk: lane() };
  }

  /** The same log; what goes through it is counted. */
  measure(log: GroupLog): GroupLog {
    return {
      append: async (partition, group, grade) => {
        const lane = this.#lanes[grade];
        const begunMs = performance.now();
        try {
          const appended = await log.append(partition, group, grade);
          lane.accepted += group.commands.length;
          lane.seconds.observe((performance.now() - begunMs) / 1000);
          this.#batch.observe(group.commands.length);
          return appended;
        } catch (error) {
          lane.failures += 1;
          throw error;
        }
      },
    };
  }

  get readings(): Readings<Name> {
    const byGrade =
      <Figure>(figure: (lane: Lane) => Figure) =>
      (): Series<"grade", Figure> =>
        GRADES.map((grade) => [{ grade }, figure(this.#lanes[grade])] as const);
    return {
      commandsAccepted: byGrade(({ accepted }) => accepted),
      appendFailures: byGrade(({ failures }) => failures),
      appendBatch: () => this.#batch,
      appendDuration: byGrade(({ seconds }) => seconds),
    };
  }
}
