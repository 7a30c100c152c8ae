/**
 * What GET and the start are compared with: bare Hono and one GET per request. Arguments: port, Redis URL.
 */
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { Redis } from "ioredis";

const [port, redisUrl] = process.argv.slice(2);
if (port === undefined || redisUrl === undefined) throw new Error("arguments: port, Redis URL");
const redis = new Redis(redisUrl);

const app = new Hono();
app.get("/healthz/ready", (c) => c.text("ok"));
app.get("/v1/kv/bench/:key", async (c) => {
  const value = await redis.getBuffer(c.req.param("key"));
  if (value === null) return c.notFound();
  return c.body(new Uint8Array(value), 200, { "Content-Type": "application/octet-stream" });
});

await redis.ping();
serve({ fetch: app.fetch, port: Number(port), hostname: "127.0.0.1" });
