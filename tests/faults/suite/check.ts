/** Judges a run: see the parts for what each of them finds. Pure. */
import { checkBanks, checkCounters, checkFates, checkOrder, entriesOf, type Fates } from "./check-fates.ts";
import { checkReads, checkRegisters, type RegisterCount } from "./check-reads.ts";
import { checkStores } from "./check-stores.ts";
import type { Evidence } from "./evidence.ts";
import { PartitionModel } from "./model.ts";
import { Findings } from "./violations.ts";

export interface Judgement {
  readonly findings: Findings;
  readonly fates: Fates;
  readonly registers: RegisterCount;
}

export function check(evidence: Evidence): Judgement {
  const findings = new Findings();
  const models = evidence.log.map((entries, partition) =>
    new PartitionModel(partition, evidence.foreign).applyAll(entries),
  );
  const entries = entriesOf(models);
  const fates = checkFates(evidence, entries, findings);
  checkOrder(evidence, models, findings);
  checkCounters(evidence, entries, findings);
  checkBanks(evidence, findings);
  checkReads(evidence, models, findings);
  const registers = checkRegisters(evidence, entries, findings);
  checkStores(evidence, models, findings);
  for (const operation of evidence.operations) {
    if (operation.answer.kind === "stuck" && operation.startMs >= evidence.roundStartMs) {
      findings.add("stuck", `#${operation.id} ${operation.kind} ${operation.namespace}/${operation.key}`);
    }
  }
  return { findings, fates, registers };
}
