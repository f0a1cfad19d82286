// Takes in what the user brings: tells pictures, annotations, weights and tasks apart, looks at each file and puts it in
// its place, or says why not.
import { classNamed, paintedClass } from "./classes.js";
import { addModel } from "./models.js";
import { BACKGROUND, Painting, tally } from "./painting.js";
import { inSlices } from "./slices.js";
import { change, openSupport, state, teach, tell } from "./state.js";
import { bringTask } from "./task.js";
import { ask, whenReady } from "./work.js";

/** @typedef {import("./state.js").Support} Support */
/** @typedef {import("./state.js").Query} Query */

/** More than any camera writes; beyond it the browser would have to hold the file several times over. */
const LARGEST_MB = 100;

/** "duck-mask.png" is the mask of "duck.jpg". */
const MASK_NAME = /^(.*)[-_. ]mask\.png$/i;

/** A file's name without its ending. @param {string} name */
export const stem = (name) => name.replace(/\.[^.]*$/, "");

/** @param {File} file */
const isJson = ({ name }) => /\.json$/i.test(name);

/** @param {File} file */
const isAnnotation = (file) => MASK_NAME.test(file.name) || isJson(file);

/** Every file saved is named after its picture, so no two pictures may have names that differ in their ending alone. @param {string} name @param {{ id: string }} [own]  the picture whose own name counts for nothing */
export function unique(name, own) {
  const others = [...state.supports, ...state.queries].filter(({ id }) => id !== own?.id);
  // Not every system tells names apart by the case of their letters.
  const taken = new Set(others.map((picture) => stem(picture.name).toLowerCase()));
  const ending = name.slice(stem(name).length);
  let free = stem(name);
  for (let copy = 2; taken.has(free.toLowerCase()); copy++) free = `${stem(name)} (${copy})`;
  return free + ending;
}

/** @param {File} file @returns {import("./state.js").Picture} */
const entry = (file) => ({ id: crypto.randomUUID(), name: unique(file.name), file, width: 0, height: 0 });

/** @param {string} name @param {Blob} file */
function refuseHuge(name, file) {
  const size = Math.ceil(file.size / 1e6);
  if (size > LARGEST_MB) {
    throw new Error(`${name} is ${size} MB large, and this page reads up to ${LARGEST_MB} MB. Save it smaller and bring it again.`);
  }
}

/** Takes what is no picture to its own place, and gives back what may be one. @param {Iterable<File>} files */
function pictures(files) {
  const all = [...files];
  const isWeights = (/** @type {File} */ { name }) => /\.(safetensors|pt|pth|onnx)$/i.test(name);
  const isTask = (/** @type {File} */ { name }) => /\.fewseg$/i.test(name);
  for (const file of all.filter(isWeights)) void addModel(file);
  for (const file of all.filter(isTask)) void bringTask(file);
  // A folder brings its hidden files along.
  return all.filter((file) => !isWeights(file) && !isTask(file) && !file.name.startsWith("."));
}

/** Pictures that show things; an annotation under its picture's name goes with it. @param {Iterable<File>} files */
export async function addSupports(files) {
  const all = pictures(files);
  for (const file of all) if (!isAnnotation(file)) await addSupport(file);
  for (const file of all) if (isAnnotation(file)) await addNamedAnnotation(file);
}

/** @param {File} file */
async function addNamedAnnotation(file) {
  const named = MASK_NAME.exec(file.name)?.[1] ?? stem(file.name);
  const support = state.supports.findLast(({ name }) => stem(name) === named);
  if (support) return void (await addAnnotation(file, support));
  // A COCO file describes many pictures, whatever its own name.
  if (isJson(file) && state.supports.length > 0) return addToAll(file);
  tell(`${file.name} is by its name the mask of a picture named ${named}, which is not here. Bring the two together or drop the mask on its picture; if it is a picture itself, give it another name.`);
}

/** @param {File} file */
async function addToAll(file) {
  /** @type {unknown} */
  let trouble;
  let taken = 0;
  for (const support of state.supports) {
    await annotate(file, support).then(() => taken++, (error) => (trouble = error));
  }
  if (taken === 0) tell(trouble);
}

/** @param {File} file */
async function addSupport(file) {
  /** @type {Support} */
  const support = entry(file);
  paintedClass();
  change({ supports: [...state.supports, support], open: support.id });
  if (!(await inspect(support))) return removeSupport(support);
  support.painting = new Painting(support.width, support.height);
  change();
}

/** Annotations say where things are, and these are the pictures in which that is to be found out. @param {File[]} annotations */
function refuseAnnotations([first, ...others]) {
  if (!first) return;
  const names = others.length > 0 ? `${first.name} and ${others.length} more say` : `${first.name} says`;
  tell(`${names} where things are, which “Find it” is to find out. Drop it on “Show it”, beside or onto its picture.`);
}

/** Pictures in which to look. @param {Iterable<File>} files */
export async function addQueries(files) {
  const all = pictures(files);
  refuseAnnotations(all.filter(isJson));
  /** @type {Query[]} */
  const queries = [];
  for (const file of all.filter((file) => !isJson(file))) {
    const query = { ...entry(file), lesson: -1, accepted: false, corrected: false };
    queries.push(query);
    state.queries = [...state.queries, query];
  }
  change();
  await readQueries(queries);
}

/** Looks at the files whose size is not known yet. */
export async function readQueries(queries = state.queries) {
  for (const query of queries.filter(({ width }) => width === 0)) {
    if (await inspect(query)) change();
    else removeQuery(query);
  }
}

/** @param {Support | Query} item */
async function inspect(item) {
  const { name, file } = item;
  for (;;) {
    await whenReady();
    try {
      refuseHuge(name, file);
      Object.assign(item, await ask("inspect", { name, picture: file }));
      return true;
    } catch (trouble) {
      // An engine that stopped is not the picture's fault: the next one reads it.
      if (state.engine.phase !== "ready") continue;
      tell(trouble);
      return false;
    }
  }
}

/** @param {File} file @param {Support | undefined} support  the one on the easel unless said otherwise */
export async function addAnnotation(file, support = openSupport()) {
  if (!support?.painting) return tell(`${file.name} needs a picture to be the mask of. Bring the picture first.`);
  await annotate(file, support).catch(tell);
}

/** A plain mask has one class, without a name: it is the one that is painted. @param {string} name */
const numberOf = (name) => (name ? classNamed(name) : paintedClass()).number;

/** @param {File} file @param {Support} support @param {(name: string) => number} number  what the names in the file stand for; 0 for nothing */
export async function annotate(file, { name, width, height, painting }, number = numberOf) {
  refuseHuge(file.name, file);
  const { names, labels } = await ask("readLabels", { name: file.name, file, picture: name, width, height });
  const counts = await inSlices(tally(labels));
  if (counts[BACKGROUND] === labels.length) {
    throw new Error(`${file.name} is an empty mask: it marks nothing in ${name}. Paint the thing, or bring a mask in which it is white.`);
  }
  await painting?.merge(labels, names.map(number));
  teach();
}

/** @param {Support} support */
export function removeSupport(support) {
  const supports = state.supports.filter((other) => other !== support);
  change({ supports, open: state.open === support.id ? supports.at(-1)?.id : state.open });
  if (support.painting?.share) teach();
}

/** @param {Query} query */
export function removeQuery(query) {
  change({ queries: state.queries.filter((other) => other !== query), open: state.open === query.id ? state.supports.at(-1)?.id : state.open });
}

/** A drop beside the two places for it: while there is nothing to paint all are to be painted, later all are to be looked through. @param {Iterable<File>} files */
export function addAnywhere(files) {
  const all = [...files];
  const annotations = all.filter((file) => isAnnotation(file));
  if (state.supports.length === 0 && !state.task) return addSupports(all);
  return Promise.all([addSupports(annotations), addQueries(all.filter((file) => !isAnnotation(file)))]);
}
