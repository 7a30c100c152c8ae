import { setTimeout as sleep } from "node:timers/promises";
import type { RedisKind } from "../../../../infra/local/redis-process.ts";
import { openAdmin } from "../admin.ts";
import type { Nemesis } from "../nemesis.ts";

const BUSY_S = 6;
const CODE = `#!lua name=millrace_test_busy
redis.register_function{function_name='millrace_test_busy', flags={'no-writes'}, callback=function()
  local start = os.clock()
  while os.clock() - start < ${BUSY_S} do end
  return 'done'
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
    const call = admin.call("FCALL", "millrace_test_busy", 0);
    call.catch(() => undefined);
    await sleep(BUSY_S * 1_000 + 500);
  },
});

export const logBusy = busy("log");
export const storeBusy = busy("store");
