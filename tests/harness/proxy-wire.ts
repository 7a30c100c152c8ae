/** One connection through the proxy: two pumps, each handling one chunk at a time, so that order is kept. */
import type { Socket } from "node:net";
import type { Faults, Hook, Verdict } from "./proxy.ts";

export interface Wire {
  cut(): void;
}

export function startWire(client: Socket, upstream: Socket, faults: Faults): Wire {
  const cut = (): void => {
    client.destroy();
    upstream.destroy();
  };
  for (const socket of [client, upstream]) {
    socket.on("error", cut);
    socket.on("close", cut);
  }
  /** Faults that wait for the next bytes of the server on this connection. */
  const due: Hook[] = [];
  let seen = "";

  const judgeRequest = async (chunk: Buffer): Promise<Verdict> => {
    // What is looked for may stand on the border of two chunks.
    const text = seen + chunk.toString("latin1");
    seen = text.slice(-64);
    const hook = take(faults.requestHooks, text);
    const verdict = hook === undefined ? "forward" : await hook.strike();
    const replyHook = take(faults.replyHooks, text);
    if (replyHook !== undefined) due.push(replyHook);
    if (hook !== undefined || replyHook !== undefined) seen = "";
    return verdict;
  };
  const judgeReply = async (): Promise<Verdict> => (await due.shift()?.strike()) ?? "forward";

  void pump(client, upstream, faults, judgeRequest, cut);
  void pump(upstream, client, faults, judgeReply, cut);
  return { cut };
}

async function pump(
  from: Socket,
  to: Socket,
  faults: Faults,
  judge: (chunk: Buffer) => Promise<Verdict>,
  cut: () => void,
): Promise<void> {
  try {
    for await (const chunk of from as AsyncIterable<Buffer>) {
      await faults.gate;
      const verdict = await judge(chunk);
      if (verdict === "cut") break;
      if (verdict === "forward" && !to.write(chunk)) await drained(to);
    }
  } catch {
    // The connection broke: the other side hears of it, as it would without the proxy.
  }
  cut();
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once("drain", resolve);
    socket.once("close", () => resolve());
  });
}

function take(hooks: Set<Hook>, text: string): Hook | undefined {
  for (const hook of hooks) {
    if (!text.includes(hook.text)) continue;
    hooks.delete(hook);
    return hook;
  }
  return undefined;
}
