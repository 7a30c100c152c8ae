/**
 * The settings of a namespace: what its writes are given when they ask for nothing themselves, and how much it may hold.
 * A namespace need not be created: one without settings has the defaults.
 */
import { z } from "zod";
import type { Parking } from "../core/command.ts";
import { GRADES, type Grade } from "../core/grade.ts";
import { WAIT_MAX_S } from "../core/limits.ts";

/** What a namespace may hold. At either bound it takes no write that might grow it. */
export interface Quota {
  readonly keys?: number | undefined;
  /** Of keys and values. */
  readonly bytes?: number | undefined;
}

export interface NamespaceSettings {
  /** What becomes of a key's later writes when one of them goes to the dead letters. */
  readonly parking: Parking;
  /** Absent: what the log gives by itself. */
  readonly grade?: Grade | undefined;
  /** Seconds that a write waits for its result when its request does not say; absent: 0. */
  readonly wait?: number | undefined;
  readonly quota?: Quota | undefined;
}

/** @throws ProblemError `settings-unknown` before they were ever read */
export type SettingsOf = (namespace: string) => NamespaceSettings;

export const DEFAULT_SETTINGS: NamespaceSettings = { parking: "skip" };

const amount = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);

/** As clients give them, and as they are stored. */
export const settingsSchema = z.strictObject({
  wait: z.number().int().min(0).max(WAIT_MAX_S).optional(),
  grade: z.enum(GRADES).optional(),
  parking: z.enum(["skip", "block"]).optional(),
  quota: z.strictObject({ keys: amount.optional(), bytes: amount.optional() }).optional(),
});

export type GivenSettings = z.output<typeof settingsSchema>;

/** What a newer version may have added is left out. */
const storedSchema = settingsSchema.loose();

/** @returns null when it is not what we store */
export function parseStoredSettings(document: unknown): NamespaceSettings | null {
  const parsed = storedSchema.safeParse(document);
  if (!parsed.success) return null;
  const { wait, grade, parking = "skip", quota } = parsed.data;
  return { parking, grade, wait, quota };
}
