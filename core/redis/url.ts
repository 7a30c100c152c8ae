/**
 * Where a Redis is: one URL for each of log and store.
 *
 * `redis://[user:password@]host[:port][/db]` standalone, `rediss://` the same over TLS,
 * `redis+sentinel://[user:password@]host1:port,host2:port/master-name` (Sentinels listed),
 * `redis+cluster://[user:password@]host1:port,host2:port` (any nodes listed); `rediss+sentinel`, `rediss+cluster` for TLS.
 */

export interface Address {
  readonly host: string;
  readonly port: number;
}

interface Access {
  readonly tls: boolean;
  readonly username?: string;
  readonly password?: string;
}

export type RedisUrl = Access &
  (
    | { readonly kind: "standalone"; readonly address: Address; readonly db: number }
    | { readonly kind: "sentinel"; readonly sentinels: readonly Address[]; readonly master: string }
    | { readonly kind: "cluster"; readonly nodes: readonly Address[] }
  );

const URL_PATTERN = /^(redis|rediss)(\+sentinel|\+cluster)?:\/\/(?:([^@/]*)@)?([^/?#]+)(?:\/([^/?#]*))?$/;

/** @throws Error whose message says what is wrong, without the URL itself: it may hold a password */
export function parseRedisUrl(text: string): RedisUrl {
  const match = URL_PATTERN.exec(text);
  if (!match?.[4]) {
    throw new Error("expected redis://, rediss://, redis+sentinel:// or redis+cluster:// with a host");
  }
  const [, scheme, kind, access, hosts, path = ""] = match;
  const shared: Access = { tls: scheme === "rediss", ...parseAccess(access) };
  if (kind === "+sentinel") {
    if (path === "") throw new Error("a Sentinel URL ends in /<master name>");
    return {
      kind: "sentinel",
      sentinels: parseAddresses(hosts ?? "", 26379),
      master: decodeURIComponent(path),
      ...shared,
    };
  }
  const addresses = parseAddresses(hosts ?? "", 6379);
  if (kind === "+cluster") {
    if (path !== "") throw new Error("a Cluster URL has no path: Redis Cluster has one database");
    return { kind: "cluster", nodes: addresses, ...shared };
  }
  const [address, second] = addresses;
  if (address === undefined || second !== undefined) throw new Error("a standalone URL names one host");
  if (!/^\d*$/.test(path)) throw new Error("the database in the path must be a number");
  return { kind: "standalone", address, db: Number(path), ...shared };
}

/** The URL without its secrets, for logs. */
export function describeRedisUrl(url: RedisUrl): string {
  const scheme = url.tls ? "rediss" : "redis";
  const list = (addresses: readonly Address[]) => addresses.map(({ host, port }) => `${host}:${port}`).join(",");
  switch (url.kind) {
    case "standalone":
      return `${scheme}://${list([url.address])}${url.db > 0 ? `/${url.db}` : ""}`;
    case "sentinel":
      return `${scheme}+sentinel://${list(url.sentinels)}/${url.master}`;
    case "cluster":
      return `${scheme}+cluster://${list(url.nodes)}`;
  }
}

function parseAccess(text: string | undefined): { username?: string; password?: string } {
  if (text === undefined || text === "") return {};
  const colon = text.indexOf(":");
  if (colon < 0) return { username: decodeURIComponent(text) };
  const username = decodeURIComponent(text.slice(0, colon));
  return { ...(username && { username }), password: decodeURIComponent(text.slice(colon + 1)) };
}

function parseAddresses(text: string, defaultPort: number): Address[] {
  return text.split(",").map((part) => {
    const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]+)(?::(\d{1,5}))?$/.exec(part);
    const port = match?.[2] === undefined ? defaultPort : Number(match[2]);
    if (!match?.[1] || port < 1 || port > 65535) throw new Error("hosts are host[:port], separated by commas");
    return { host: match[1].replace(/^\[|\]$/g, ""), port };
  });
}
