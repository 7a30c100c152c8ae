/**
 * Results in the order of what they are of, while more is asked for: bounded, so that whoever asks has to wait until they
 * are taken. Between one who adds and one who takes.
 */
export interface WindowBounds {
  readonly items: number;
  /** Of what was asked for. */
  readonly bytes: number;
}

interface Place {
  readonly bytes: number;
  /** Null until it is known. */
  text: string | null;
}

export class ResultWindow {
  readonly #bounds: WindowBounds;
  #places: Place[] = [];
  #bytes = 0;
  #ended = false;
  #abandoned = false;
  #failure: Error | null = null;
  /** Whoever waits for room, and whoever waits for results. */
  #adder: (() => void) | null = null;
  #taker: (() => void) | null = null;

  constructor(bounds: WindowBounds) {
    this.#bounds = bounds;
  }

  /** Nobody wants the results any more. */
  get abandoned(): boolean {
    return this.#abandoned;
  }

  /** Is there no room for one more? One alone has it, whatever its size. */
  full(bytes: number): boolean {
    if (this.#places.length === 0 || this.#abandoned) return false;
    return this.#places.length >= this.#bounds.items || this.#bytes + bytes > this.#bounds.bytes;
  }

  /** Resolves when something was taken, or the window was abandoned. */
  room(): Promise<void> {
    return new Promise((resolve) => {
      this.#adder = resolve;
    });
  }

  /** @param result never rejects */
  add(bytes: number, result: Promise<string>): void {
    const place: Place = { bytes, text: null };
    this.#places.push(place);
    this.#bytes += bytes;
    void result.then((text) => {
      place.text = text;
      if (this.#places[0] === place) this.#wakeTaker();
    });
  }

  /** Nothing more will be added. @param failure given to whoever takes, after all that was added */
  end(failure: Error | null = null): void {
    this.#ended = true;
    this.#failure = failure;
    this.#wakeTaker();
  }

  abandon(): void {
    this.#abandoned = true;
    this.#places = [];
    this.#wakeAdder();
    this.#wakeTaker();
  }

  /** Waits for the next result and gives all that are ready with it; null at the end. @throws the failure that ended it */
  async take(): Promise<string[] | null> {
    while (this.#places.length > 0 ? this.#places[0]?.text === null : !this.#ended && !this.#abandoned) {
      await new Promise<void>((resolve) => {
        this.#taker = resolve;
      });
    }
    if (this.#places.length === 0) {
      if (this.#failure !== null && !this.#abandoned) throw this.#failure;
      return null;
    }
    const waiting = this.#places.findIndex(({ text }) => text === null);
    const ready = this.#places.splice(0, waiting < 0 ? this.#places.length : waiting);
    for (const { bytes } of ready) this.#bytes -= bytes;
    this.#wakeAdder();
    return ready.map(({ text }) => text ?? "");
  }

  #wakeAdder(): void {
    this.#adder?.();
    this.#adder = null;
  }

  #wakeTaker(): void {
    this.#taker?.();
    this.#taker = null;
  }
}
