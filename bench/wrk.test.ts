import { expect, test } from "vitest";
import { parseWrk } from "./wrk.ts";

const good = `Running 2s test @ http://127.0.0.1:1/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.50ms  211.20us   9.41ms   89.00%
    Req/Sec    38.61k     1.20k   40.11k    75.00%
  77123 requests in 2.01s, 9.71MB read
Requests/sec:  38401.55
Transfer/sec:      4.83MB
`;

test("a rate is read from wrk's report", () => {
  expect(parseWrk(good)).toEqual({ perSecond: 38401.55, answers: 77123 });
});

test("a rate with refused requests is not a rate", () => {
  expect(() => parseWrk(good.replace("Requests/sec", "  Non-2xx or 3xx responses: 12\nRequests/sec"))).toThrow("12");
});

test("a rate with broken connections is not a rate", () => {
  const errors = "  Socket errors: connect 0, read 3, write 0, timeout 0\nRequests/sec";
  expect(() => parseWrk(good.replace("Requests/sec", errors))).toThrow("read 3");
});

test("a report without a rate is an error, not zero", () => {
  expect(() => parseWrk("unable to connect")).toThrow("no rate");
});
