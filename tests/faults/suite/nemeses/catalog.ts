/** All faults there are, by name. */
import type { Nemesis } from "../nemesis.ts";
import { apiKill } from "./api-kill.ts";
import { apiRollingRestart } from "./api-rolling-restart.ts";
import { logBusy, storeBusy } from "./busy.ts";
import { consumerFreeze } from "./consumer-freeze.ts";
import { consumerKill } from "./consumer-kill.ts";
import * as cuts from "./cuts.ts";
import { logFailover, storeFailover } from "./failover.ts";
import { logFailoverCut, storeFailoverCut } from "./failover-cut.ts";
import { functionFlush } from "./function-flush.ts";
import { halfOpen } from "./half-open.ts";
import { logConnectionsKilled } from "./log-connections-killed.ts";
import { logDiskFull } from "./log-disk-full.ts";
import { logLaggingPromoted } from "./log-lagging-promoted.ts";
import { logMasterBounce } from "./log-master-bounce.ts";
import { logMasterWiped } from "./log-master-wiped.ts";
import { logSlowClock } from "./log-slow-clock.ts";
import { logLagKill, storeFailoverLossy } from "./lossy-failover.ts";
import { logMasterFreeze, storeMasterFreeze } from "./master-freeze.ts";
import { logMasterKill, storeMasterKill } from "./master-kill.ts";
import { logOutOfMemory, storeOutOfMemory } from "./out-of-memory.ts";
import { poison } from "./poison.ts";
import { sentinelFrozen, sentinelMajorityDown } from "./sentinels.ts";
import { logStaleSentinel, storeStaleSentinel } from "./stale-sentinel.ts";
import { storeFlushed } from "./store-flushed.ts";
import { storeSlow } from "./store-slow.ts";
import { storeWiped } from "./store-wiped.ts";
import { twoOwners } from "./two-owners.ts";
import { storeUnsyncedPromotion } from "./unsynced-promotion.ts";

export const NEMESES: readonly Nemesis[] = [
  consumerKill,
  consumerFreeze,
  twoOwners,
  apiKill,
  apiRollingRestart,
  logMasterKill,
  logMasterBounce,
  logMasterWiped,
  logMasterFreeze,
  logLagKill,
  logLaggingPromoted,
  logConnectionsKilled,
  logFailover,
  logFailoverCut,
  logSlowClock,
  logOutOfMemory,
  logDiskFull,
  logBusy,
  storeMasterKill,
  storeMasterFreeze,
  storeFailoverLossy,
  storeFailover,
  storeFailoverCut,
  storeUnsyncedPromotion,
  storeWiped,
  storeFlushed,
  storeOutOfMemory,
  storeBusy,
  storeSlow,
  poison,
  functionFlush,
  sentinelMajorityDown,
  sentinelFrozen,
  logStaleSentinel,
  storeStaleSentinel,
  ...Object.values(cuts),
  halfOpen,
];

/** Names separated by commas, each as often as it is named; `all` and `core` name several. Throws when one is not known. */
export function chooseNemeses(text: string): Nemesis[] {
  return text.split(",").flatMap((name) => {
    if (name === "all") return NEMESES;
    if (name === "core") return NEMESES.filter(({ core }) => core);
    const found = NEMESES.find((one) => one.name === name);
    if (found !== undefined) return [found];
    throw new Error(`no nemesis ${name}; there are: ${NEMESES.map((one) => one.name).join(", ")}, core, all`);
  });
}
