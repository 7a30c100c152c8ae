import { testConformance } from "../conformance/in-vitest.ts";
import { startBackEnd } from "../harness/back-ends.ts";

testConformance(() => startBackEnd("standalone"));
