/** Log entries for tests that hand them to the store directly: one producer, one partition, ids of one millisecond. */
import type { Command } from "../../core/command.ts";
import type { ApplicableEntry, Watermark } from "../../core/functions/apply.ts";

/** Entries as the log would hold them: ordinal and sequence count from the first. */
export function entries(commands: readonly Partial<Command>[], first = 1, producer = "p"): ApplicableEntry[] {
  return commands.map((command, index) => ({
    kind: "command",
    id: `1000-${first + index}`,
    ordinal: first + index,
    stamp: { producer, sequence: first + index },
    header: `{"o":"${command.operation?.op}"}`,
    command: {
      namespace: "n",
      key: "k",
      operation: { op: "delete" },
      awaited: false,
      acceptedMs: 1,
      ...command,
    },
  }));
}

export const put = (key: string, value: string): Partial<Command> => ({
  key,
  operation: { op: "put", contentType: "text/plain", value: Buffer.from(value) },
});
export const increment = (key: string, by = "1"): Partial<Command> => ({ key, operation: { op: "increment", by } });
export const at = (ordinal: number): Watermark => ({ id: `1000-${ordinal}`, ordinal });
