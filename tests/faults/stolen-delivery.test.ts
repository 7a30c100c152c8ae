import { expect, test } from "vitest";
import { APPLY_GROUP, partitionKeys } from "../../core/keys.ts";
import { accepted, httpClient } from "../harness/http.ts";
import { openLink } from "../harness/link.ts";
import { watchPartitions } from "../harness/partitions.ts";
import { startStack } from "../harness/stack.ts";

test("a command delivered to a consumer that then died is applied, although nothing is written after it", async () => {
  const stack = await startStack({ partitions: 1 });
  const [keys] = partitionKeys(1);
  const [owner] = stack.consumers;
  if (!keys || !owner) throw new Error("one partition and one consumer");
  const client = httpClient(stack.url);
  const thief = await openLink(stack.log.url);

  owner.pause();
  accepted(await client.put("stolen", "k", "v"));
  const stolen = (await thief.call({
    name: "XREADGROUP",
    args: ["GROUP", APPLY_GROUP, "dead", "COUNT", 10, "STREAMS", keys.log, ">"],
  })) as [Buffer, unknown[]][];
  expect(stolen[0]?.[1]).toHaveLength(1);
  owner.resume();

  await watchPartitions(stack.url).drained();
  expect((await client.get("stolen", "k")).text).toBe("v");
});
