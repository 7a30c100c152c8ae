/** A ready connection of ours to a Redis of a test. */
import { openGroup } from "../../core/redis/group.ts";
import { Link } from "../../core/redis/link.ts";
import type { Role } from "../../core/redis/options.ts";
import { parseRedisUrl } from "../../core/redis/url.ts";
import { cleanUpLater } from "./running.ts";

export async function openLink(url: string, role: Role = "writer"): Promise<Link> {
  const group = openGroup(parseRedisUrl(url), "test");
  const link = new Link(group, role, "test");
  cleanUpLater(async () => {
    link.close();
    await group.stop();
  });
  await group.start();
  await new Promise<void>((resolve) => link.open(resolve, () => undefined));
  return link;
}
