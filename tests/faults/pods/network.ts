/**
 * The network of a small cluster inside a network namespace of our own: a bridge, an address for each pod, and names that
 * follow the pods when their addresses change.
 *
 * Names stand in one file that is everybody's /etc/hosts: resolvers read it anew at each look-up.
 */
import { execFile } from "node:child_process";
import { closeSync, constants, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

const BRIDGE = "pods0";
const NETWORK = "10.77";
/** Every version of the file is as long: it is written in one go, so nobody reads half of it. */
const HOSTS_BYTES = 4000;

export class PodNetwork {
  readonly hostsFile: string;
  readonly #names = new Map<string, readonly string[]>();
  #given = 1;

  private constructor(folder: string) {
    this.hostsFile = join(folder, "hosts");
    this.#publish();
  }

  /** In the namespace that this process is in. */
  static async open(folder: string): Promise<PodNetwork> {
    const network = new PodNetwork(folder);
    await run("ip", ["link", "add", BRIDGE, "type", "bridge"]);
    await run("ip", ["addr", "add", `${NETWORK}.0.1/16`, "dev", BRIDGE]);
    await run("ip", ["link", "set", BRIDGE, "up"]);
    await run("mount", ["--bind", network.hostsFile, "/etc/hosts"]);
    return network;
  }

  /**
   * Gives the namespace of a process an address that nobody had before, and these names to the address.
   * @returns the link's name, for {@link cut}
   */
  async join(pid: number, names: readonly string[]): Promise<{ address: string; link: string }> {
    this.#given += 1;
    const address = `${NETWORK}.${Math.floor(this.#given / 250)}.${(this.#given % 250) + 2}`;
    const link = `pod${this.#given}`;
    const inside = ["-t", String(pid), "-n", "ip"];
    await run("ip", ["link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", String(pid)]);
    await run("ip", ["link", "set", link, "master", BRIDGE, "up"]);
    await run("nsenter", [...inside, "link", "set", "lo", "up"]);
    this.#names.set(address, names);
    this.#publish();
    await run("nsenter", [...inside, "link", "set", "eth0", "up"]);
    await run("nsenter", [...inside, "addr", "add", `${address}/16`, "dev", "eth0"]);
    return { address, link };
  }

  /** The names are gone with the pod. */
  leave(address: string): void {
    this.#names.delete(address);
    this.#publish();
  }

  /** From now on nothing comes to the pod, and nothing from it. */
  async cut(link: string): Promise<void> {
    await run("ip", ["link", "set", link, "down"]);
  }

  async heal(link: string): Promise<void> {
    await run("ip", ["link", "set", link, "up"]);
  }

  #publish(): void {
    const lines = [
      "127.0.0.1 localhost",
      ...[...this.#names].map(([address, names]) => `${address} ${names.join(" ")}`),
    ];
    const text = `${lines.join("\n")}\n`.padEnd(HOSTS_BYTES, "#");
    const file = openSync(this.hostsFile, constants.O_WRONLY | constants.O_CREAT, 0o644);
    writeSync(file, `${text}\n`, 0);
    closeSync(file);
  }
}
