/**
 * `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a write that is sent again under the same key has one
 * effect, and is answered as the first one was.
 *
 * That it has one effect is the apply function's doing, which knows the keys and judges in log order. What is done here
 * spares commands and gives answers sooner: the store is asked before a write is submitted, and a repeat that comes while
 * the first is still on its way in this process shares its fate. Either may fail: the write is submitted then, and comes
 * to nothing when it is applied.
 */
import type { Accepted } from "../core/appender.ts";
import type { Idempotency } from "../core/command.ts";
import { type EntryId, formatRevision } from "../core/entry-id.ts";
import { OperatingError } from "../core/errors.ts";
import type { First } from "../core/idempotency.ts";
import { IDEMPOTENCY_FLIGHTS_MAX, IDEMPOTENCY_KEY_MAX_CHARS, IDEMPOTENCY_LOOK_MAX_MS } from "../core/limits.ts";
import type { Store } from "../core/store.ts";
import { ProblemError } from "./errors.ts";

/** A string of RFC 8941, 3.3.3. */
const STRING = /^"((?:[ !#-[\]-~]|\\["\\])*)"$/;
/** Whatever clients send without quotes, though the draft asks for them: nothing that would end a token. */
const TOKEN = /^[A-Za-z0-9!#$%&'*+./:=^_`|~-]+$/;
const PRINTABLE = /^[ -~]+$/;

/**
 * The value of the header; null when it did not come. `"a"` and `a` are the same key.
 * @throws ProblemError `invalid-idempotency-key`, also when it came more than once
 */
export function parseIdempotencyKey(header: string | null): string | null {
  if (header === null) return null;
  const quoted = STRING.exec(header)?.[1];
  if (quoted !== undefined) return checkIdempotencyKey(quoted.replaceAll(/\\(.)/g, "$1"));
  if (!TOKEN.test(header)) throw invalid();
  return checkIdempotencyKey(header);
}

/** @throws ProblemError `invalid-idempotency-key` */
export function checkIdempotencyKey(text: string): string {
  if (text.length > IDEMPOTENCY_KEY_MAX_CHARS || !PRINTABLE.test(text)) throw invalid();
  return text;
}

function invalid(): ProblemError {
  return new ProblemError(
    "invalid-idempotency-key",
    `An idempotency key is one string in double quotes, or a token, of 1 to ${IDEMPOTENCY_KEY_MAX_CHARS} printable ASCII characters.`,
  );
}

/** A write whose answer is not known yet. */
export interface Flight {
  readonly accepted: Promise<Accepted>;
  /** How far its partition was before it was submitted. */
  readonly before: EntryId;
}

export class Repeats {
  readonly #store: Pick<Store, "first">;
  readonly #full: (partition: number) => boolean;
  readonly #flights = new Map<string, Flight & Pick<Idempotency, "fingerprint">>();

  /** @param full does the partition know as many keys as it may? */
  constructor(store: Pick<Store, "first">, full: (partition: number) => boolean) {
    this.#store = store;
    this.#full = full;
  }

  /** @throws ProblemError `idempotency-full` */
  demandRoom(partition: number): void {
    if (this.#full(partition)) {
      throw new ProblemError("idempotency-full", "Nothing was accepted. Writes without an idempotency key are taken.");
    }
  }

  /**
   * The command that came first, as the store knows it; null where it knows none, or is away.
   * @throws ProblemError `idempotency-mismatch`
   */
  async find(partition: number, { key, fingerprint }: Idempotency): Promise<First | null> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<null>((resolve) => {
      timer = setTimeout(resolve, IDEMPOTENCY_LOOK_MAX_MS, null);
    });
    let first: First | null;
    try {
      first = await Promise.race([this.#store.first(partition, key), late]);
    } catch (error) {
      if (!(error instanceof OperatingError)) throw error;
      return null;
    } finally {
      clearTimeout(timer);
    }
    if (first && first.fingerprint !== fingerprint) throw mismatch(` It is ${formatRevision(partition, first.id)}.`);
    return first;
  }

  /** The one of this process with the same key that is on its way. @throws ProblemError `idempotency-mismatch` */
  onTheWay({ key, fingerprint }: Idempotency): Flight | undefined {
    const flight = this.#flights.get(key);
    if (flight && flight.fingerprint !== fingerprint) throw mismatch("");
    return flight;
  }

  /** A write departs; the first with its key. @returns what is called when it is answered */
  depart({ key, fingerprint }: Idempotency, flight: Flight): () => void {
    if (this.#flights.size >= IDEMPOTENCY_FLIGHTS_MAX) return () => undefined;
    this.#flights.set(key, { ...flight, fingerprint });
    return () => this.#flights.delete(key);
  }
}

function mismatch(more: string): ProblemError {
  return new ProblemError("idempotency-mismatch", `Another request came first with this idempotency key.${more}`);
}
