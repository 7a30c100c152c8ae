/**
 * Files of the packages that are installed with us.
 */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const { resolve } = createRequire(import.meta.url);

/**
 * @param name `package/path/of/file`
 * @throws Error when there is none
 */
export async function readPackageFile(name: string): Promise<Uint8Array> {
  return readFile(resolve(name));
}
