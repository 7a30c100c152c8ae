import { expect, test } from "vitest";

type Ports = typeof import("./ports.ts");

/** As another process has it. */
const anew = (name: string) => import(/* @vite-ignore */ `./ports.ts?${name}`) as Promise<Ports>;

test("a port that one test process may be given is given to no other one", async () => {
  const [one, other] = await Promise.all([anew("one"), anew("other")]);
  const ports = new Set<number>();
  for (let port = await one.findTestPort(); !ports.has(port); port = await one.findTestPort()) ports.add(port);
  expect(ports.size).toBeGreaterThan(500);
  for (let n = 0; n < 20; n += 1) expect(ports.has(await other.findTestPort())).toBe(false);
});
