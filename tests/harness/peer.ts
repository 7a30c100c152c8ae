/** The other end of a connection to a server of ours, which says what it likes: also what is no HTTP. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export interface Peer {
  readonly socket: Socket;
  /** Everything that has come so far. */
  readonly heard: () => string;
  /** Everything that came until the server closed. */
  readonly all: Promise<string>;
}

const sockets = new Set<Socket>();

/** Connects and sends the text as it is. */
export function openPeer(port: number, text: string): Peer {
  const socket = connect(port, "127.0.0.1");
  sockets.add(socket);
  let heard = "";
  socket.on("data", (data) => {
    heard += data.toString("latin1");
  });
  // A server that has answered may close while we are still sending.
  socket.on("error", () => undefined);
  socket.write(text);
  return { socket, heard: () => heard, all: once(socket, "close").then(() => heard) };
}

/** Ends all that this test file has opened. */
export function closePeers(): void {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
}
