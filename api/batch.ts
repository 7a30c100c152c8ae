/**
 * Many writes of one request: each is a command of its own with a result of its own, and what fails of one is told in its
 * place. They are in the log in the order in which they are given.
 */

import { formatRevision } from "../core/entry-id.ts";
import type { Grade } from "../core/grade.ts";
import type { First } from "../core/idempotency.ts";
import { TRACED_COMMANDS_MAX } from "../core/limits.ts";
import { type BatchItem, readBatchItem } from "./batch-item.ts";
import { type Caller, demand } from "./caller.ts";
import { untraced } from "./command-spans.ts";
import type { AppDependencies } from "./dependencies.ts";
import { describeFailure } from "./errors.ts";
import { type ProblemDocument, problemDocument } from "./problem.ts";
import { carryOut, findFirst, type Origin, sayWrite } from "./write.ts";
import { tell, type Written } from "./written.ts";

/** What is told of an item, as a write of its own is answered. */
export interface ItemResult {
  readonly status: number;
  /** Of the command; absent where none was accepted. */
  readonly revision?: string;
  readonly grade?: Grade;
  readonly location?: string;
  /** A counter's new value: 64 bits, so as text. */
  readonly value?: string;
  /** It was a repeat, by its idempotency key. */
  readonly replayed?: true;
  readonly problem?: ProblemDocument;
}

export interface BatchOptions {
  readonly deps: AppDependencies;
  readonly origin: Origin;
  readonly namespace: string;
  /** Each key is demanded of them. */
  readonly caller: Caller;
  /** The idempotency key of the whole; an item without its own has it, with its place. */
  readonly idempotencyKey: string | null;
  /** Names the request, where something is wrong on our side. */
  readonly requestId: string;
}

export class Batch {
  readonly #options: BatchOptions;
  #origin: Origin;
  #count = 0;
  /** Resolves when all items so far are on their way to the log; null when they are. */
  #turn: Promise<unknown> | null = null;

  constructor(options: BatchOptions) {
    this.#options = options;
    this.#origin = options.origin;
  }

  /**
   * The next item. Never rejects.
   * @param document the item, parsed. What it throws is the item's problem
   * @param text the same as it is written
   */
  add(document: () => unknown, text: () => string): Promise<ItemResult> {
    const { deps, namespace, caller, idempotencyKey } = this.#options;
    const place = this.#count;
    this.#count += 1;
    if (place === TRACED_COMMANDS_MAX) this.#origin = { ...this.#origin, incoming: untraced(this.#origin.incoming) };
    const origin = this.#origin;
    let item: BatchItem;
    let written: Promise<Written>;
    try {
      item = readBatchItem(deps, namespace, document(), text);
      demand(caller, { action: "write", namespace, key: item.target.key });
      const shared = idempotencyKey === null ? null : [idempotencyKey, place];
      const idempotency = item.idempotencyKey === null ? shared : [item.idempotencyKey];
      const { target } = item;
      const saying = sayWrite(deps, origin, { ...item, idempotency });
      const looked = saying.idempotency ? findFirst(deps, origin, target, saying) : null;
      written = this.#inTurn(looked, (first) => carryOut(deps, origin, target, saying, first));
    } catch (error) {
      return Promise.resolve(this.#failure(error));
    }
    const { path } = item.target;
    return written.then((came) => this.#tell(came, path)).catch((error: unknown) => this.#failure(error));
  }

  /** A look at the store takes time: whoever comes later must not be in the log before. */
  #inTurn(looked: Promise<First | null> | null, submit: (first: First | null) => Promise<Written>): Promise<Written> {
    if (looked === null && this.#turn === null) return submit(null);
    // Its failure is told when it is its turn.
    looked?.catch(() => undefined);
    const turn = Promise.resolve(this.#turn).then(() => looked);
    const written = turn.then(submit);
    const passed = turn.then(
      () => undefined,
      () => undefined,
    );
    this.#turn = passed;
    void passed.then(() => {
      if (this.#turn === passed) this.#turn = null;
    });
    return written;
  }

  #tell(written: Written, path: string): ItemResult {
    const { partition, id, grade, repeated } = written;
    const about = {
      revision: formatRevision(partition, id),
      ...(grade !== null && { grade }),
      ...(repeated && { replayed: true as const }),
    };
    try {
      const { status, location, value } = tell(written, path);
      return { status, ...about, ...(location !== undefined && { location }), ...(value !== undefined && { value }) };
    } catch (error) {
      return this.#failure(error, about);
    }
  }

  #failure(error: unknown, about: Omit<ItemResult, "status"> = {}): ItemResult {
    const { deps, requestId } = this.#options;
    const known = describeFailure(error);
    if (known === null) deps.report(error, requestId);
    const { slug, detail, members } = known ?? ({ slug: "internal", detail: "", members: {} } as const);
    deps.countProblem(slug);
    const problem = problemDocument(slug, detail, members);
    return { status: problem.status, ...about, problem };
  }
}
