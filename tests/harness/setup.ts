import { afterAll } from "vitest";
import { cleanUp } from "./running.ts";

afterAll(cleanUp);
