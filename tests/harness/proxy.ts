/**
 * A TCP proxy in front of one Redis server, to make a fault at one exact point: before a request arrives, or after the
 * server has done it and before the client hears of it.
 */
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { findTestPort } from "./ports.ts";
import { startWire, type Wire } from "./proxy-wire.ts";
import { cleanUpLater } from "./running.ts";

/** What becomes of the bytes: passed on, swallowed (the connection stays open), or both sides destroyed. */
export type Verdict = "forward" | "drop" | "cut";
/** What is done at that moment, and then with the bytes. A plain verdict where nothing else is done. */
export type Action = Verdict | (() => Promise<Verdict>);

/** A fault that waits for its moment; it strikes once, on the first connection where it fits. */
export interface Hook {
  readonly text: string;
  readonly strike: () => Promise<Verdict>;
}

export interface ArmedHook {
  /** Resolves when the action has run. */
  readonly fired: Promise<void>;
}

export interface RedisProxy {
  readonly port: number;
  readonly url: string;
  /** Before the next request that contains `text` is passed on. */
  onRequest(text: string, action: Action): ArmedHook;
  /** When the server answers the next request that contains `text`, before the client gets the first byte of it. */
  onReply(text: string, action: Action): ArmedHook;
  /** Destroys every open connection. */
  cutAll(): void;
  /** From now on new connections are refused. */
  refuse(): Promise<void>;
  accept(): Promise<void>;
  /** Holds all bytes both ways; connections stay open, and new ones are taken. */
  freeze(): void;
  thaw(): void;
  /** Open connections. */
  connections(): number;
  close(): Promise<void>;
}

/** The hooks and the gate that all connections of one proxy share. */
export interface Faults {
  readonly requestHooks: Set<Hook>;
  readonly replyHooks: Set<Hook>;
  /** Settles at once unless frozen. */
  gate: Promise<void>;
}

/** Starts a proxy on a free loopback port. It is closed at the end of the test file. */
export async function startProxy(target: { readonly port: number }): Promise<RedisProxy> {
  const faults: Faults = { requestHooks: new Set(), replyHooks: new Set(), gate: Promise.resolve() };
  const wires = new Set<Wire>();
  const serve = (client: Socket): void => {
    const upstream = connect({ port: target.port, host: "127.0.0.1", noDelay: true });
    const wire = startWire(client, upstream, faults);
    wires.add(wire);
    client.once("close", () => wires.delete(wire));
  };
  const port = await findTestPort();
  let server: Server | undefined = await listen(port, serve);
  let open: (() => void) | undefined;

  const proxy: RedisProxy = {
    port,
    url: `redis://127.0.0.1:${port}`,
    onRequest: (text, action) => arm(faults.requestHooks, text, action),
    onReply: (text, action) => arm(faults.replyHooks, text, action),
    cutAll: () => {
      for (const wire of wires) wire.cut();
    },
    refuse: async () => {
      server?.close();
      server = undefined;
      // A connection that the system has already taken for us comes before the end of listening.
      await new Promise(setImmediate);
    },
    accept: async () => {
      server ??= await listen(port, serve);
    },
    freeze: () => {
      if (open !== undefined) return;
      faults.gate = new Promise((resolve) => {
        open = resolve;
      });
    },
    thaw: () => {
      open?.();
      open = undefined;
      faults.gate = Promise.resolve();
    },
    connections: () => wires.size,
    close: async () => {
      await proxy.refuse();
      proxy.thaw();
      proxy.cutAll();
    },
  };
  cleanUpLater(() => proxy.close());
  return proxy;
}

async function listen(port: number, serve: (client: Socket) => void): Promise<Server> {
  const server = createServer({ noDelay: true }, serve);
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return server;
}

function arm(hooks: Set<Hook>, text: string, action: Action): ArmedHook {
  const fired = new Promise<void>((resolve, reject) => {
    hooks.add({
      text,
      strike: async () => {
        try {
          const verdict = typeof action === "string" ? action : await action();
          resolve();
          return verdict;
        } catch (error) {
          reject(error);
          return "cut";
        }
      },
    });
  });
  // Whoever does not wait for it has no use for its failure; the connection is cut and the test sees that.
  fired.catch(() => undefined);
  return { fired };
}
