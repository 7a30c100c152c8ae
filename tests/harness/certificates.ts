/** Certificates for a test: an authority of its own, and what it has signed for localhost. Made by openssl. */
import { execFile } from "node:child_process";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { cleanUpLater } from "./running.ts";

const run = promisify(execFile);
const NEW_KEY = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];

/** @returns a folder with ca.crt, tls.crt and tls.key, as cert-manager makes them */
export async function newCertificates(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-tls-"));
  cleanUpLater(() => rm(folder, { recursive: true, force: true }));
  const openssl = (...args: string[]) => run("openssl", args, { cwd: folder });
  await openssl(...NEW_KEY, "-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=authority of a test");
  await writeFile(join(folder, "names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
  await openssl(...NEW_KEY, "-keyout", "tls.key", "-out", "own.crt", "-subj", "/CN=localhost");
  await openssl("x509", "-x509toreq", "-in", "own.crt", "-signkey", "tls.key", "-out", "request");
  const signed = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names"];
  await openssl("x509", "-req", "-in", "request", ...signed, "-out", "signed.crt");
  await rename(join(folder, "signed.crt"), join(folder, "tls.crt"));
  return folder;
}
