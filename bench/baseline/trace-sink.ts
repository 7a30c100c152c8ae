/**
 * Takes spans by OTLP over HTTP and forgets them, as a collector that is never slow. Argument: port.
 */
import { createServer } from "node:http";

const [port] = process.argv.slice(2);
if (port === undefined) throw new Error("argument: port");

createServer((request, response) => {
  request.resume();
  request.on("end", () => response.writeHead(200, { "Content-Type": "application/json" }).end("{}"));
}).listen(Number(port), "127.0.0.1");
