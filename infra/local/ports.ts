import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

// Below the range from which systems take the local ports of outgoing connections (Linux 32768, macOS 49152): a server
// that is restarted on its port could otherwise find it taken by a client, even by one that is reconnecting to it.
const LOWEST = 20_000;
const HIGHEST = 32_000;
const ATTEMPTS = 200;

/** Whether a server could listen now on this loopback port. */
export async function isPortFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen({ port, host: "127.0.0.1", exclusive: true });
    await once(server, "listening");
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
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
