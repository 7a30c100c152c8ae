/**
 * Preloaded into an api or a consumer by the bench: nothing is counted on the way of a request or a command any more, and
 * nothing watches the process.
 */
import { createRequire } from "node:module";

const nothing = () => undefined;

// Before anybody has imported it: what a module of that kind exports is read once.
const prom = createRequire(import.meta.url)("prom-client") as { collectDefaultMetrics: () => void };
prom.collectDefaultMetrics = nothing;

const { Histogram } = await import("../core/histogram.ts");
const { AppendMeter } = await import("../core/append-meter.ts");
const { HttpCounts } = await import("../api/http-counts.ts");
const { ApplyMeter } = await import("../consumer/apply-meter.ts");

Histogram.prototype.observe = nothing;
AppendMeter.prototype.measure = (log) => log;
HttpCounts.prototype.of = () => nothing;
HttpCounts.prototype.problem = nothing;
ApplyMeter.prototype.applied = nothing;
ApplyMeter.prototype.failed = nothing;
