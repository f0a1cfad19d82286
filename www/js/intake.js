// Takes in what the user brings: looks at each file and puts it in its place, or says why not.
import { Painting } from "./mask.js";
import { change, current, state, teach, tell } from "./state.js";
import { ask, useWeights } from "./work.js";

/** @typedef {import("./state.js").Support} Support */
/** @typedef {import("./state.js").Query} Query */

/** More than any camera writes; beyond it the browser would have to hold the file several times over. */
const LARGEST_MB = 100;

/** "duck-mask.png" is the mask of "duck.jpg". */
const MASK_NAME = /^(.*)[-_. ]mask\.png$/i;

let last = 0;

/** @param {File} file */
const entry = (file) => ({ id: `p${++last}`, name: file.name, file, url: URL.createObjectURL(file), width: 0, height: 0 });

/** @param {File} file */
function refuseHuge(file) {
  const size = Math.ceil(file.size / 1e6);
  if (size > LARGEST_MB) {
    throw new Error(`${file.name} is ${size} MB large, and this page reads up to ${LARGEST_MB} MB. Save it smaller and bring it again.`);
  }
}

/** @param {File} file */
const isWeights = (file) => /\.(safetensors|pt|pth|onnx)$/i.test(file.name);

/** Sorts out what is not a picture, and gives back what may be. @param {Iterable<File>} files */
function pictures(files) {
  const all = [...files];
  const weights = all.find(isWeights);
  if (weights) void useWeights(weights);
  return all.filter((file) => !isWeights(file));
}

/** Pictures that show the thing; a mask that comes along under its picture's name goes with it. @param {Iterable<File>} files */
export async function addSupports(files) {
  const all = pictures(files);
  const masks = new Map();
  for (const file of all) {
    const stem = MASK_NAME.exec(file.name)?.[1];
    if (stem) masks.set(stem, file);
  }
  const shown = all.filter((file) => !MASK_NAME.test(file.name) || all.length === 1);
  for (const file of shown) {
    const support = await addSupport(file);
    const mask = masks.get(file.name.replace(/\.[^.]*$/, ""));
    if (support && mask && mask !== file) await addMask(mask, support);
  }
}

/** @param {File} file @returns {Promise<Support | undefined>} */
async function addSupport(file) {
  /** @type {Support} */
  const support = entry(file);
  change({ supports: [...state.supports, support], current: support.id });
  if (!(await inspect(support, file))) {
    removeSupport(support);
    return undefined;
  }
  support.painting = new Painting(support.width, support.height);
  change();
  return support;
}

/** Pictures in which to look for it. @param {Iterable<File>} files */
export async function addQueries(files) {
  const queries = pictures(files).map((file) => ({ ...entry(file), lesson: -1 }));
  change({ queries: [...state.queries, ...queries] });
  for (const query of queries) {
    if (await inspect(query, query.file)) change();
    else removeQuery(query);
  }
}

/** @param {Support | Query} item @param {Blob} file */
async function inspect(item, file) {
  try {
    refuseHuge(/** @type {File} */ (file));
    Object.assign(item, await ask("inspect", { name: item.name, picture: file }));
    return true;
  } catch (trouble) {
    tell(trouble);
    return false;
  }
}

/** @param {File} file @param {Support | undefined} support  the one on the easel unless said otherwise */
export async function addMask(file, support = current()) {
  if (!support?.painting) return tell(`${file.name} needs a picture to be the mask of. Bring the picture first.`);
  const { width, height } = support;
  try {
    refuseHuge(file);
    const mask = await ask("readMask", { name: file.name, mask: file, width, height });
    if (!mask.some(Boolean)) {
      throw new Error(`${file.name} is an empty mask: it marks nothing in ${support.name}. Paint the thing, or bring a mask in which it is white.`);
    }
    support.painting.replace(mask);
    teach();
  } catch (trouble) {
    tell(trouble);
  }
}

/** @param {Support} support */
export function removeSupport(support) {
  const supports = state.supports.filter((other) => other !== support);
  URL.revokeObjectURL(support.url);
  change({ supports, current: current() === support ? supports.at(-1)?.id : state.current });
  if (support.painting?.share) teach();
}

/** @param {Query} query */
export function removeQuery(query) {
  URL.revokeObjectURL(query.url);
  change({ queries: state.queries.filter((other) => other !== query) });
  // What was never found need not be forgotten, and a stopped engine has forgotten everything.
  void ask("forget", { key: query.id }).catch(() => undefined);
}

/** A drop beside the two places for it: the first picture is to be painted, the others are to be looked through. @param {Iterable<File>} files */
export const addAnywhere = (files) => (state.supports.length === 0 ? addSupports(files) : addQueries(files));
