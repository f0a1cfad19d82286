// Copies the page's libraries, as `npm ci` in www/ installed them, to www/vendor/: of each its one ES module, its types
// and its licence. Served with the page, they are never asked for elsewhere.
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const WWW = new URL("../www/", import.meta.url);
const VENDOR = new URL("vendor/", WWW);

/** @param {URL} url */
const readJson = (url) => JSON.parse(readFileSync(url, "utf8"));

/** @param {string} name */
function copy(name) {
  const folder = new URL(`node_modules/${name}/`, WWW);
  const { module, types } = readJson(new URL("package.json", folder));
  const source = readFileSync(new URL(module, folder), "utf8");
  // A module that imports others would have to be bundled, and nothing here bundles.
  if (/\bfrom\s*["']|\bimport\s*["'(]/.test(source)) throw new Error(`${fileURLToPath(folder)}${module} imports other modules; only single-file libraries can be vendored`);
  copyFileSync(new URL(module, folder), new URL(`${name}.js`, VENDOR));
  copyFileSync(new URL(types, folder), new URL(`${name}.d.ts`, VENDOR));
  const licence = ["LICENSE", "LICENSE.txt", "LICENSE.md"].find((file) => existsSync(new URL(file, folder)));
  if (!licence) throw new Error(`${fileURLToPath(folder)} has no licence file to go with it`);
  copyFileSync(new URL(licence, folder), new URL(`${name}.LICENSE.txt`, VENDOR));
}

rmSync(VENDOR, { recursive: true, force: true });
mkdirSync(VENDOR);
Object.keys(readJson(new URL("package.json", WWW)).dependencies).forEach(copy);
