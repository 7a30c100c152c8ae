/**
 * Who is let in, put together from the configuration: tokens, JWTs, limits, origins, audit log.
 */
import type { Logger } from "pino";
import { TOKENS_FILE_LOOK_MS, TOKENS_FILE_MAX_BYTES } from "../core/access-limits.ts";
import { RateLimiter } from "../core/rate-limiter.ts";
import type { RedisGroup } from "../core/redis/group.ts";
import { Link } from "../core/redis/link.ts";
import type { Service } from "../core/service.ts";
import { digestToken } from "../core/token-digest.ts";
import { WatchedFile } from "../core/watched-file.ts";
import { Access } from "./access.ts";
import { Authentication } from "./authentication.ts";
import type { ApiConfig } from "./config.ts";
import { Jwt } from "./jwt.ts";
import { parseTokens, type Tokens } from "./tokens.ts";

export interface Entrance extends Service {
  readonly access: Access;
}

/**
 * @param logGroup where requests are counted
 * @param name of the connection
 */
export function buildEntrance(config: ApiConfig, logGroup: RedisGroup, name: string, logger: Logger): Entrance {
  let tokens: Tokens = new Map();
  const file = config.MILLRACE_TOKENS_FILE === undefined ? null : watchTokens(config.MILLRACE_TOKENS_FILE);
  const jwt = jwtOf(config, logger);
  const authenticated = file !== null || jwt !== null;
  const limited = authenticated || config.MILLRACE_RATE_LIMIT !== undefined;
  const link = limited ? new Link(logGroup, "reader", name) : null;
  const limiter = link && new RateLimiter(link);
  const access = new Access({
    authentication: authenticated
      ? new Authentication({ tokens: () => tokens, jwt, digest: digestToken, now: Date.now })
      : null,
    defaultLimit: config.MILLRACE_RATE_LIMIT ?? null,
    limiter,
    admitsOrigin: (origin) => config.MILLRACE_CORS_ORIGINS?.admits(origin) ?? false,
    audit: (line) => logger.info({ audit: true, ...line }, "admin action"),
  });

  function watchTokens(path: string): WatchedFile {
    return new WatchedFile({
      path,
      everyMs: TOKENS_FILE_LOOK_MS,
      maxBytes: TOKENS_FILE_MAX_BYTES,
      onContent: (text) => {
        tokens = parseTokens(text);
        logger.info({ tokens: tokens.size }, "tokens read");
      },
      onFault: (error) =>
        logger.error({ error }, "the tokens file cannot be used: those read before go on being valid"),
    });
  }

  return {
    access,
    async start() {
      await Promise.all([file?.start(), jwt?.load(), limiter?.load()]);
      link?.open(
        () => undefined,
        () => undefined,
      );
    },
    async stop() {
      await file?.stop();
      link?.close();
    },
  };
}

function jwtOf(config: ApiConfig, logger: Logger): Jwt | null {
  const { MILLRACE_JWKS_URL: jwksUrl, MILLRACE_JWT_ISSUER: issuer, MILLRACE_JWT_AUDIENCE: audience } = config;
  if (jwksUrl === undefined || issuer === undefined || audience === undefined) return null;
  const onFault = (error: string) => logger.warn({ error }, "the keys of JWTs cannot be fetched");
  return new Jwt({ jwksUrl, issuer, audience, now: Date.now, onFault });
}
