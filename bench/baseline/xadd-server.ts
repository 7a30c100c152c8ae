/**
 * What PUT is compared with: bare node:http and one XADD per request, nothing else. Arguments: port, Redis URL.
 */
import { createServer } from "node:http";
import { Redis } from "ioredis";

const [port, redisUrl] = process.argv.slice(2);
if (port === undefined || redisUrl === undefined) throw new Error("arguments: port, Redis URL");
const redis = new Redis(redisUrl);
const pathPrefix = "/v1/kv/bench/";

const server = createServer((request, response) => {
  if (request.method !== "PUT") {
    response.writeHead(200).end();
    return;
  }
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const key = (request.url ?? "").slice(pathPrefix.length);
    redis.xadd("commands", "*", "k", key, "v", Buffer.concat(chunks)).then(
      (id) => response.writeHead(202, { Location: `/v1/commands/${id}` }).end(),
      () => response.writeHead(503).end(),
    );
  });
});

await redis.ping();
server.listen(Number(port), "127.0.0.1");
