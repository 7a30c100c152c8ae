/**
 * Waiting for "something may have changed": raised by whoever knows, lowered by the one loop that looks.
 */
export class SignalFlag {
  #raised = false;
  #wake: (() => void) | null = null;

  /** Wakes the waiting loop, or lets its next wait return at once. */
  raise(): void {
    this.#raised = true;
    this.#wake?.();
  }

  /** Resolves when raised, or after `timeoutMs` at the latest; lowers the flag. */
  async wait(timeoutMs: number): Promise<void> {
    if (!this.#raised) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        timer = setTimeout(resolve, timeoutMs);
      });
      clearTimeout(timer);
      this.#wake = null;
    }
    this.#raised = false;
  }
}
