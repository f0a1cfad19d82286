// Writes build.json into a built page: the list of its files with their hashes, and an id of the whole, which it also
// puts into sw.js. So the service worker knows what belongs together, and a browser sees that there is another build.
// Trunk runs this before it puts a build in its place; by hand: node scripts/list-build.mjs FOLDER
import { createHash } from "node:crypto";
import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join, sep } from "node:path";

const folder = process.argv[2] ?? process.env["TRUNK_STAGING_DIR"];
if (!folder) throw new Error("which folder? node scripts/list-build.mjs FOLDER");

/** The service worker is its own keeper, and types are for those who write programs. */
const NOT_KEPT = /^(sw\.js|build\.json)$|\.d\.ts$/;
const LINE = /^const BUILD = .*$/m;

/** @param {string | Uint8Array} bytes */
const hash = (bytes) => createHash("sha256").update(bytes).digest("hex");

const paths = readdirSync(folder, { recursive: true, encoding: "utf8" })
  .filter((path) => statSync(join(folder, path)).isFile())
  .map((path) => path.split(sep).join("/"))
  .filter((path) => !NOT_KEPT.test(path))
  .sort();
const files = paths.map((path) => ({ path, hash: hash(readFileSync(join(folder, path))) }));

const worker = join(folder, "sw.js");
const source = readFileSync(worker, "utf8");
if (!LINE.test(source)) throw new Error(`${worker} has no line “const BUILD = …” to put the build's id into`);
const id = hash(JSON.stringify(files) + source.replace(LINE, "")).slice(0, 16);
writeFileSync(worker, source.replace(LINE, `const BUILD = "${id}";`));
writeFileSync(join(folder, "build.json"), `${JSON.stringify({ id, files }, null, 1)}\n`);
