/**
 * Ports for what tests start. A port is chosen long before its server listens, and a server that is restarted leaves its
 * port for a moment: so no two processes that run tests on this machine choose from the same ones, and none gives one out
 * twice.
 */
import { randomInt } from "node:crypto";
import { claimPort, isPortFree } from "../../infra/local/ports.ts";

// Below the ports that the local stack, and servers which try again, choose for themselves.
const LOWEST = 10_240;
const SLICE = 976;
const SLICES = 10;

interface Slice {
  readonly first: number;
  next: number;
}

let slice: Promise<Slice> | undefined;

/** A slice is taken by listening on its lowest port, and left when the process ends, however it does. */
async function takeSlice(): Promise<Slice> {
  for (let index = 0; index < SLICES; index += 1) {
    const first = LOWEST + index * SLICE;
    const claim = await claimPort(first);
    if (claim === null) continue;
    claim.unref();
    return { first, next: randomInt(1, SLICE) };
  }
  throw new Error("other test processes have taken all ports");
}

/** A loopback port that nobody listens on, and that no other test is given. */
export async function findTestPort(): Promise<number> {
  slice ??= takeSlice();
  const own = await slice;
  for (let tries = 0; tries < SLICE; tries += 1) {
    const port = own.first + own.next;
    own.next = (own.next % (SLICE - 1)) + 1;
    if (await isPortFree(port)) return port;
  }
  throw new Error("no port is free for a test");
}

/** Three in a row, as the local stack needs them for its operators: the first. */
export async function findTestPorts(): Promise<number> {
  for (;;) {
    const ports = [await findTestPort(), await findTestPort(), await findTestPort()] as const;
    if (ports[2] === ports[0] + 2) return ports[0];
  }
}
