/**
 * A collector that takes every export and only counts them: GET gives their number. Argument: port.
 */
import { createServer } from "node:http";

const [port] = process.argv.slice(2);
if (port === undefined) throw new Error("argument: port");
let exports = 0;

createServer((request, response) => {
  if (request.method === "POST") exports += 1;
  request.resume();
  request.on("end", () => {
    response.setHeader("Content-Type", "application/json");
    response.end(request.method === "POST" ? "{}" : String(exports));
  });
}).listen(Number(port), "127.0.0.1");
