/**
 * Writes beside a list, open-loop, until SIGTERM: half of them change keys that stay, the others create keys between
 * those and delete them again.
 * Arguments: URL that a key's number is appended to, how many keys stay, writes per second.
 * Writes a ChurnReport to stdout at the end; ends with an error when a write was refused.
 */
import { Agent, request } from "node:http";

export interface ChurnReport {
  readonly written: number;
  readonly perSecond: number;
}

const CONNECTIONS_MAX = 64;
const TICK_MS = 10;
/** A key that comes goes again after so many writes. */
const LIFE = 400;
/** Coprime to any power of ten: it comes to every key. */
const STRIDE = 7919;

const [url = "", keys = "1", perSecond = "1000"] = process.argv.slice(2);
const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS_MAX });
const body = Buffer.alloc(100, "w");
const startMs = performance.now();
let begun = 0;
let written = 0;
let stopping = false;

function send(method: "PUT" | "DELETE", key: string): void {
  const sent = request(`${url}${key}`, { method, agent }, (response) => {
    if (response.statusCode !== 202) throw new Error(`${method} ${key}: ${response.statusCode} instead of 202`);
    response.resume();
    response.on("end", () => {
      written += 1;
      if (stopping && written === begun) report();
    });
  });
  sent.end(method === "PUT" ? body : undefined);
}

/** As put.lua spells it. */
function keyNumber(index: number): string {
  return String((index * STRIDE) % Number(keys)).padStart(8, "0");
}

function write(index: number): void {
  const stays = keyNumber(index);
  if (index % 2 === 0) send("PUT", stays);
  else if (index % 4 === 1) send("PUT", `${stays}-passes`);
  else send("DELETE", `${keyNumber(Math.max(1, index - 2 - LIFE))}-passes`);
}

const pulse = setInterval(() => {
  const due = Math.floor(((performance.now() - startMs) * Number(perSecond)) / 1_000);
  for (; begun < due; begun += 1) write(begun);
}, TICK_MS);

function report(): void {
  const seconds = (performance.now() - startMs) / 1_000;
  const figures: ChurnReport = { written, perSecond: Math.round(written / seconds) };
  process.stdout.write(JSON.stringify(figures));
  agent.destroy();
}

process.on("SIGTERM", () => {
  stopping = true;
  clearInterval(pulse);
  if (written === begun) report();
});
