/**
 * How safe an accepted write is.
 *
 * `memory`      the log's master has it
 * `replicated`  so have K of its replicas: all that might become master (rule R3)
 * `disk`        those, and the master's disk
 */
export const GRADES = ["memory", "replicated", "disk"] as const;

export type Grade = (typeof GRADES)[number];
