import { setTimeout as sleep } from "node:timers/promises";
import type { RedisKind } from "../../../../infra/local/redis-process.ts";
import { openAdmin } from "../admin.ts";
import type { Nemesis } from "../nemesis.ts";

const BUSY_S = 6;
/** A function that cannot run says so at once. */
const STARTED_MS = 500;
/** Bounded also by turns, should the clock of a function stand still some day. */
const TURNS_MAX = 100_000_000;
const CODE = `#!lua name=millrace_test_busy
redis.register_function{function_name='millrace_test_busy', flags={'no-writes'}, callback=function()
  local function now()
    local time = redis.call('TIME')
    return tonumber(time[1]) + tonumber(time[2]) / 1000000
  end
  local start, turns = now(), 0
  while now() - start < ${BUSY_S} and turns < ${TURNS_MAX} do turns = turns + 1 end
  return turns
end}`;

/** It answers nobody for longer than Sentinel is patient: a healthy master is failed over. */
const busy = (kind: RedisKind): Nemesis => ({
  name: `${kind}-busy`,
  does: `a function runs for ${BUSY_S} s on the ${kind}'s master`,
  targets: [kind],
  async strike({ cluster, note, later }) {
    const master = await cluster.master(kind);
    const admin = openAdmin(master);
    later(() => admin.disconnect());
    await admin.call("FUNCTION", "LOAD", "REPLACE", CODE);
    note(`busy function on ${master.host}:${master.port}`);
    // It ends with an error when Sentinel kills it, or this connection's patience is over; but not at once.
    const call = admin.call("FCALL", "millrace_test_busy", 0);
    call.catch(() => undefined);
    await Promise.race([call, sleep(STARTED_MS)]);
    await sleep(BUSY_S * 1_000);
  },
});

export const logBusy = busy("log");
export const storeBusy = busy("store");
