/** A ready connection of ours to a Redis of a test. */
import { Link } from "../../core/redis/link.ts";
import { parseRedisUrl } from "../../core/redis/url.ts";
import { cleanUpLater } from "./running.ts";

export async function openLink(url: string): Promise<Link> {
  const link = new Link(parseRedisUrl(url), "writer", "test");
  cleanUpLater(async () => link.close());
  await new Promise<void>((resolve) => link.open(resolve, () => undefined));
  return link;
}
