import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:net";

// Below the range from which systems take the local ports of outgoing connections (Linux 32768, macOS 49152): a server
// that is restarted on its port could otherwise find it taken by a client, even by one that is reconnecting to it.
const LOWEST = 20_000;
const HIGHEST = 32_000;
const ATTEMPTS = 200;

/** Listens on this loopback port. Null when it is taken. */
export async function claimPort(port: number): Promise<Server | null> {
  const server = createServer().listen({ port, host: "127.0.0.1", exclusive: true });
  try {
    await once(server, "listening");
    return server;
  } catch {
    return null;
  }
}

/** Whether a server could listen now on this loopback port. */
export async function isPortFree(port: number): Promise<boolean> {
  const server = await claimPort(port);
  server?.close();
  return server !== null;
}

/** A loopback port nobody listens on. Another process may still take it first: whoever starts a server tries again. */
export async function findFreePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const port = randomInt(LOWEST, HIGHEST);
    if (await isPortFree(port)) return port;
  }
  throw new Error(`no free port between ${LOWEST} and ${HIGHEST}`);
}

/** A port somebody asked for, and the variable that says another one. */
export interface WantedPort {
  port: number;
  variable: string;
}

/** Throws an error of one line that names the first port which is taken. */
export async function checkPorts(wanted: readonly WantedPort[]): Promise<void> {
  for (const { port, variable } of wanted) {
    if (await isPortFree(port)) continue;
    throw new Error(`port ${port} is taken by another program: choose another one with ${variable}=<port>`);
  }
}
