/**
 * Operating errors: what goes wrong although the code is right. Outcomes of commands are no errors; see `Result`.
 */

export type ErrorCode =
  /** The log cannot be reached, or refuses: the command was not accepted. */
  | "log-unavailable"
  /** The command may or may not be in the log. */
  | "outcome-unknown"
  /** The store cannot be reached, or refuses. */
  | "store-unavailable"
  /** Not enough replicas of the log hold what was read or written. */
  | "not-confirmed"
  /** Nobody could confirm a read or a write now, so nothing was sent. */
  | "not-settled"
  /** A bound of ours is reached. */
  | "overloaded"
  /** The two Redises, or this process, disagree about the data's format. */
  | "format-mismatch"
  /** A newer process wrote what this one cannot read. */
  | "unsupported-version";

export class OperatingError extends Error {
  readonly code: ErrorCode;
  /** Can the same thing succeed later without anybody changing anything? */
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, options: { retryable?: boolean; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = "OperatingError";
    this.code = code;
    this.retryable = options.retryable ?? true;
  }
}

/** An error's text for a log line: never a stack, never a value. */
export function describeError(error: unknown): string {
  // JSON.parse quotes what it could not read, which may be a value.
  if (error instanceof SyntaxError) return "not readable: SyntaxError";
  // So does Redis, of commands that it does not know (https://github.com/redis/redis/blob/7.0/src/server.c).
  if (error instanceof Error && error.name === "ReplyError")
    return error.message.replace(/, with args beginning with:.*$/s, "");
  return error instanceof Error ? error.message : String(error);
}

/** For `catch`: whatever went wrong with a Redis that only reads were asked of. */
export function unavailable(code: "log-unavailable" | "store-unavailable"): (error: unknown) => never {
  return (error) => {
    throw error instanceof OperatingError ? error : new OperatingError(code, describeError(error), { cause: error });
  };
}
