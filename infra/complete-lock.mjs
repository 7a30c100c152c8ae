/**
 * Completes package-lock.json: `npm run lock` after every change of a dependency.
 *
 * Binaries come as optional packages, one for each platform, each pinned by the package that wants it. A registry mirror
 * that serves only some platforms makes npm leave the others out of the lock file, and `npm ci` then refuses it on every
 * platform. This puts them back, with the pinned version and the platform that their name tells. It takes the download
 * addresses out, too: they are the mirror's.
 */
import { readFileSync, writeFileSync } from "node:fs";

const FILE = new URL("../package-lock.json", import.meta.url);
const SYSTEMS = ["android", "darwin", "freebsd", "linux", "openharmony", "win32"];
const PROCESSORS = ["arm64", "arm", "ia32", "ppc64", "riscv64", "s390x", "x64"];

function platformOf(name) {
  const words = name.split("/").at(-1)?.split("-") ?? [];
  const os = SYSTEMS.find((system) => words.includes(system));
  const cpu = PROCESSORS.find((processor) => words.includes(processor));
  if (!os || !cpu) throw new Error(`${name}: its name does not tell a platform`);
  const libc = os !== "linux" || cpu === "arm" ? null : words.includes("musl") ? "musl" : null;
  return { os: [os], cpu: [cpu], ...(libc && { libc: [libc] }) };
}

const lock = JSON.parse(readFileSync(FILE, "utf8"));
const { packages } = lock;
let added = 0;
for (const wanting of Object.values(packages)) {
  delete wanting.resolved;
  for (const [name, version] of Object.entries(wanting.optionalDependencies ?? {})) {
    if (packages[`node_modules/${name}`]) continue;
    if (!/^\d+\.\d+\.\d+$/.test(version)) throw new Error(`${name}: ${version} pins nothing`);
    const dev = wanting.dev ? { dev: true } : {};
    packages[`node_modules/${name}`] = { version, ...platformOf(name), ...dev, optional: true };
    added += 1;
  }
}
lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`);
process.stdout.write(`package-lock.json: ${added} packages of other platforms added\n`);
