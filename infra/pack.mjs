/**
 * The last step of a build: packs api, consumer and the tracing bootstrap, each with all that it loads, into a few files below
 * `dist/packed`. These are what runs, here and in the images. A start otherwise takes longest for finding, reading and linking
 * some 700 modules. Argument: the folder that is built, `dist` when it is left out.
 *
 * Everything is taken, as it is written. A packer that leaves out what it thinks has no effect leaves out too much: a
 * `decodeURIComponent` that is called to see whether it throws, for one. And names stay: a stack trace says what it is about,
 * and libraries tell their errors apart by the names of classes.
 */
import { cpSync, readdirSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const PROGRAMS = ["api/main", "consumer/main", "otel/bootstrap", "otel/export-thread"];
/** Where everything lies that more than one program loads, and what of ours loads a file that is beside it: the Lua. */
const SHARED = "core";

const dist = resolve(process.argv[2] ?? fileURLToPath(new URL("../dist", import.meta.url)));
const target = `${dist}/packed`;
rmSync(target, { recursive: true, force: true });
const packed = await rolldown({
  input: Object.fromEntries(PROGRAMS.map((program) => [program, `${dist}/${program}.js`])),
  platform: "node",
  resolve: { mainFields: ["module", "main"] },
  treeshake: false,
});
await packed.write({ dir: target, chunkFileNames: `${SHARED}/[name].js`, keepNames: true, minify: false });
await packed.close();
const functions = `${dist}/core/functions`;
for (const file of readdirSync(functions).filter((name) => name.endsWith(".lua"))) {
  cpSync(`${functions}/${file}`, `${target}/${SHARED}/${file}`);
}
