/**
 * `npm run --silent sbom >sbom.json`: the software bill of materials of the images' packages, CycloneDX JSON, from
 * package-lock.json alone. With SOURCE_DATE_EPOCH (seconds) the same lock file gives the same bytes.
 *
 * npm is shown a lock file that holds nothing for development: told to omit that, it also leaves out what both
 * development and production use (ioredis among them).
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const read = (name) => JSON.parse(readFileSync(new URL(`../../${name}`, import.meta.url), "utf8"));

const { devDependencies: _, scripts: __, ...description } = read("package.json");
const lock = read("package-lock.json");
for (const [path, entry] of Object.entries(lock.packages)) {
  delete entry.devDependencies;
  if (entry.dev) delete lock.packages[path];
}

const folder = mkdtempSync(join(tmpdir(), "millrace-sbom-"));
try {
  writeFileSync(join(folder, "package.json"), JSON.stringify(description));
  writeFileSync(join(folder, "package-lock.json"), JSON.stringify(lock));
  const args = ["sbom", "--package-lock-only", "--sbom-format=cyclonedx", "--sbom-type=application"];
  const bill = JSON.parse(
    execFileSync("npm", args, { cwd: folder, maxBuffer: 1e8, stdio: ["ignore", "pipe", "ignore"] }),
  );

  // npm names the folder.
  Object.assign(bill.metadata.component, { name: description.name, version: description.version });
  const epoch = process.env.SOURCE_DATE_EPOCH;
  if (epoch) {
    bill.metadata.timestamp = new Date(Number(epoch) * 1000).toISOString();
    delete bill.serialNumber;
  }
  process.stdout.write(`${JSON.stringify(bill, null, 2)}\n`);
} finally {
  rmSync(folder, { recursive: true });
}
