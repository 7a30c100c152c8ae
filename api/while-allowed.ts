/**
 * A stream that ends when it is no longer allowed: whoever watches must not be told more for as long as he likes, after his
 * token was taken from him. It is asked for before a part goes out, at most once in a while: what is silent tells nothing.
 */
import { STREAM_RECHECK_MS } from "../core/access-limits.ts";

export function whileAllowed(
  stream: ReadableStream<Uint8Array>,
  mayStill: () => Promise<boolean>,
  nowMs: () => number = () => performance.now(),
): ReadableStream<Uint8Array> {
  const reader = stream.getReader();
  let askedMs = nowMs();
  return new ReadableStream(
    {
      pull: async (controller) => {
        const { done, value } = await reader.read();
        const due = nowMs() - askedMs >= STREAM_RECHECK_MS;
        if (due) askedMs = nowMs();
        if (done || (due && !(await mayStill()))) {
          controller.close();
          if (!done) await reader.cancel();
          return;
        }
        controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    // Nothing is read ahead: the client's pace is the stream's.
    { highWaterMark: 0 },
  );
}
