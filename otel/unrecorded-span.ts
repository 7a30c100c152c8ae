/** A span that is not recorded: its context, which goes on, and nothing else. One object for both, because most are such. */
import type { Span, SpanContext } from "@opentelemetry/api";
import { WrittenContext } from "../core/trace-context.ts";

export class UnrecordedSpan extends WrittenContext implements Span {
  spanContext(): SpanContext {
    return this;
  }

  isRecording(): boolean {
    return false;
  }

  setAttribute(): this {
    return this;
  }

  setAttributes(): this {
    return this;
  }

  addEvent(): this {
    return this;
  }

  addLink(): this {
    return this;
  }

  addLinks(): this {
    return this;
  }

  setStatus(): this {
    return this;
  }

  updateName(): this {
    return this;
  }

  end(): void {
    // Nobody is told of it.
  }

  recordException(): void {
    // Nor of this.
  }
}
