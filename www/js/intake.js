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

/** A file's name without its ending. @param {string} name */
export const stem = (name) => name.replace(/\.[^.]*$/, "");

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

/** Networks of other programs are told from ours by their names, before they are read. @param {File} file */
export function addWeights(file) {
  if (/\.pth?$/i.test(file.name)) {
    return tell(`${file.name}: this page does not read PyTorch files. Convert it with “fewseg import ${file.name} --backbone … --out NAME.safetensors” and drop that.`);
  }
  if (/\.onnx$/i.test(file.name)) return tell(`${file.name}: this page does not read ONNX files. Only .safetensors weight files of fewseg are read.`);
  void useWeights(file);
}

/** Sorts out what is not a picture, and gives back what may be. @param {Iterable<File>} files */
function pictures(files) {
  const all = [...files];
  all.filter(isWeights).forEach(addWeights);
  return all.filter((file) => !isWeights(file));
}

/** Pictures that show the thing; a mask under its picture's name goes with it. @param {Iterable<File>} files */
export async function addSupports(files) {
  const all = pictures(files);
  for (const file of all) if (!MASK_NAME.test(file.name)) await addSupport(file);
  for (const file of all) if (MASK_NAME.test(file.name)) await addNamedMask(file);
}

/** To the newest picture of its name, which may have come long before it. @param {File} file */
async function addNamedMask(file) {
  const picture = MASK_NAME.exec(file.name)?.[1];
  const support = state.supports.findLast(({ name }) => stem(name) === picture);
  if (support) return addMask(file, support);
  tell(`${file.name} is by its name the mask of a picture named ${picture}, which is not here. Bring the two together or drop the mask on its picture; if it is a picture itself, give it another name.`);
}

/** @param {File} file */
async function addSupport(file) {
  /** @type {Support} */
  const support = entry(file);
  change({ supports: [...state.supports, support], current: support.id });
  if (!(await inspect(support, file))) return removeSupport(support);
  support.painting = new Painting(support.width, support.height);
  change();
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

/** A drop beside the two places for it: while there is nothing to paint all are to be painted, later all are to be looked through. @param {Iterable<File>} files */
export const addAnywhere = (files) => (state.supports.length === 0 ? addSupports(files) : addQueries(files));
