/**
 * Ports for what tests start. A port is chosen long before its server listens, and a server that is restarted leaves its
 * port for a moment: so no two test processes that run side by side choose from the same ones, and none gives one out twice.
 */
import { randomInt } from "node:crypto";
import { isPortFree } from "../../infra/local/ports.ts";

// Below the ports that the local stack, and servers which try again, choose for themselves.
const LOWEST = 10_240;
const SLICE = 2_440;
const SLICES = 4;

/** The runner counts the test processes that run side by side from 1. */
const slice = (Number(process.env.VITEST_POOL_ID ?? 1) - 1) % SLICES;
let next = randomInt(SLICE);

/** A loopback port that nobody listens on, and that no other test is given. */
export async function findTestPort(): Promise<number> {
  for (let tries = 0; tries < SLICE; tries += 1) {
    const port = LOWEST + slice * SLICE + next;
    next = (next + 1) % SLICE;
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
