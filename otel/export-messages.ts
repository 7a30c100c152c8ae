/** What the thread that records spans and the one that sends them tell each other. */

/** A batch to be sent. */
export interface ToSend {
  readonly id: number;
  /** As the collector takes it. */
  readonly body: Uint8Array<ArrayBuffer>;
}

/** What became of it, or what the SDK has to say meanwhile. */
export type Told =
  | { readonly id: number; readonly fault: Fault | null }
  | { readonly level: DiagLevel; readonly text: string };

/** Of an error what a thread can be told of one. */
export interface Fault {
  readonly message: string;
  /** Such as ECONNREFUSED, or the status of an answer. */
  readonly code?: string | number;
}

export const DIAG_LEVELS = ["error", "warn", "info", "debug", "verbose"] as const;
export type DiagLevel = (typeof DIAG_LEVELS)[number];
