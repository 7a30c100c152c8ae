import { testConformance } from "../conformance/in-vitest.ts";
import { startBackEnd } from "../harness/back-ends.ts";

// With tokens; on the other back ends everybody may do everything.
testConformance(() => startBackEnd("standalone", { tokens: true }));
