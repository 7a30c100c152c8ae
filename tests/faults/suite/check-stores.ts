/** Every node of the store holds exactly what a replay of the log gives, at its own watermark. Pure. */
import { compareIds } from "../../../core/entry-id.ts";
import type { Evidence, PartitionImage } from "./evidence.ts";
import { PartitionModel } from "./model.ts";
import type { Findings } from "./violations.ts";

/** @param models the whole log, applied */
export function checkStores(evidence: Evidence, models: readonly PartitionModel[], findings: Findings): void {
  for (const { node, isMaster, partitions } of evidence.stores) {
    for (const [partition, image] of partitions.entries()) {
      const whole = models[partition];
      const entries = evidence.log[partition] ?? [];
      if (whole === undefined) continue;
      const { watermark } = image;
      const about = `${node}, partition ${partition} at ${watermark.id}`;
      // Keys go on expiring when everybody has stopped.
      const left = whole.steps.filter(({ id, kind }) => kind !== "expire" && compareIds(id, watermark.id) > 0);
      if (isMaster && left.length > 0) {
        findings.add("not-drained", `${about}: the log ends at ${whole.watermark}`);
      }
      let model = whole;
      if (watermark.id !== whole.watermark) {
        const upTo = entries.filter(({ id }) => compareIds(id, watermark.id) <= 0);
        model = new PartitionModel(partition, evidence.foreign).applyAll(upTo);
        if (model.watermark !== watermark.id) {
          findings.add("phantom", `${about}: the log has no such entry`);
        }
      }
      for (const difference of differences(image, model, evidence.foreign)) {
        findings.add("diverged", `${about}: ${difference}`);
      }
    }
  }
}

function differences(image: PartitionImage, model: PartitionModel, foreign: ReadonlySet<string>): string[] {
  const found: string[] = [];
  if (image.watermark.ordinal !== model.ordinal) {
    found.push(`it counts ${image.watermark.ordinal} commands, the log ${model.ordinal}`);
  }
  const { undecided } = model;
  const expected = new Map<string, string>();
  const indexes = new Map<string, string[]>();
  const expiries = new Map<string, string>();
  for (const [name, { id, contentType, body, expiresMs }] of model.present()) {
    if (foreign.has(name)) continue;
    const expiry = expiresMs === undefined ? "" : `\te${expiresMs}`;
    expected.set(name, `${id}\t${contentType}${expiry}\n${body.toString("latin1")}`);
    if (expiresMs !== undefined) expiries.set(name, String(expiresMs));
    const slash = name.indexOf("/");
    const keys = indexes.get(name.slice(0, slash)) ?? [];
    indexes.set(name.slice(0, slash), keys);
    keys.push(name.slice(slash + 1));
  }
  const stored = new Map([...image.values].map(([name, bytes]) => [name, bytes.toString("latin1")]));
  for (const name of foreign) stored.delete(name);
  found.push(...mapDifferences("value of", expected, stored));
  found.push(...mapDifferences("expiry of", expiries, image.expiries));
  const inOrder = new Map(
    [...indexes].map(([namespace, keys]) => [
      namespace,
      keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))).join("\n"),
    ]),
  );
  const listed = new Map(
    [...image.indexes].flatMap(([namespace, keys]) => {
      const ours = keys.filter((key) => !foreign.has(`${namespace}/${key}`));
      return ours.length > 0 ? [[namespace, ours.join("\n")] as const] : [];
    }),
  );
  found.push(...mapDifferences("index of", inOrder, listed));
  const outcomes = new Map([...image.outcomes].filter(([id, text]) => !undecided.has(id) && !text.startsWith("dead")));
  found.push(...mapDifferences("outcome of", model.outcomes, outcomes));
  const dead = new Set(image.dead);
  if (dead.size !== image.dead.length) found.push("a dead letter twice");
  for (const id of model.dead) if (!dead.has(id)) found.push(`dead letter ${id} is missing`);
  for (const id of dead) {
    if (!model.dead.has(id) && !undecided.has(id)) found.push(`${id} is a dead letter, and could be applied`);
  }
  return found;
}

function mapDifferences(
  what: string,
  expected: ReadonlyMap<string, string>,
  found: ReadonlyMap<string, string>,
): string[] {
  const all: string[] = [];
  for (const [name, value] of expected) {
    const there = found.get(name);
    if (there !== value) all.push(`${what} ${name} is ${shown(there)}, by the log ${shown(value)}`);
  }
  for (const [name, value] of found) {
    if (!expected.has(name)) all.push(`${what} ${name} is ${shown(value)}, by the log there is none`);
  }
  return all;
}

function shown(text: string | undefined): string {
  return text === undefined ? "missing" : JSON.stringify(text.slice(0, 120));
}
