/**
 * What a namespace's writes are given when they ask for nothing themselves. From configuration, read once.
 */
import { z } from "zod";
import type { Parking } from "../core/command.ts";
import { GRADES, type Grade } from "../core/grade.ts";
import { NAMESPACE_PATTERN } from "./key-path.ts";

export interface NamespaceSettings {
  /** What becomes of a key's later writes when one of them goes to the dead letters. */
  readonly parking: Parking;
  /** Absent: what the log gives by itself. */
  readonly grade?: Grade | undefined;
}

export type SettingsOf = (namespace: string) => NamespaceSettings;

const DEFAULTS: NamespaceSettings = { parking: "skip" };

const settingsSchema = z.strictObject({
  parking: z.enum(["skip", "block"]).default("skip"),
  grade: z.enum(GRADES).optional(),
});

const namespacesSchema = z.record(z.string().regex(NAMESPACE_PATTERN, "is not a namespace"), settingsSchema);

/** `MILLRACE_NAMESPACES`: `{"orders":{"parking":"block","grade":"disk"}}`. */
export const namespaces = z
  .string()
  .default("{}")
  .transform((text, context): SettingsOf => {
    const parsed = namespacesSchema.safeParse(parseJson(text));
    if (parsed.success) {
      const known = new Map<string, NamespaceSettings>(Object.entries(parsed.data));
      return (namespace) => known.get(namespace) ?? DEFAULTS;
    }
    for (const { path, message } of parsed.error.issues) {
      context.addIssue({ code: "custom", message, path: [...path] });
    }
    return z.NEVER;
  });

/** What is not JSON is no object either, and is told as that. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
