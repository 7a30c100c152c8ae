/**
 * Keeps no context: every span of ours is told its parent. The SDK's own manager rests on AsyncLocalStorage, which on Node 20
 * hooks into every promise of the process from its first use on: that costs a fifth of a write.
 */
import { type Context, type ContextManager, ROOT_CONTEXT } from "@opentelemetry/api";

export class NoContextManager implements ContextManager {
  active(): Context {
    return ROOT_CONTEXT;
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    _context: Context,
    call: F,
    self?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return call.apply(self, args);
  }

  bind<T>(_context: Context, target: T): T {
    return target;
  }

  enable(): this {
    return this;
  }

  disable(): this {
    return this;
  }
}
