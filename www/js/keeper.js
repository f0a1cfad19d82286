// Everything is kept as the user works: what the state holds now is compared with what was written last.
import { find } from "./dom.js";
import { deflate, inflate } from "./deflate.js";
import { Painting } from "./painting.js";
import { change, state, tell, watch } from "./state.js";
import { NAME, openStore } from "./store.js";
import { reason } from "./words.js";
import { beginWith } from "./work.js";

/** @typedef {import("./state.js").Support} Support */
/** @typedef {import("./state.js").Query} Query */
/** @typedef {import("./store.js").Store} Store */

/** @type {Store} */
let store;
/** The task file lies among the other large files. */
const TASK = "task";

/** What each record was made of when it was written last. @type {Map<string, unknown[]>} */
const written = new Map();

/** Not any more once all is being forgotten, nor where what is kept would be overwritten unseen. */
let keeping = true;

/** Brings back what was kept, before anything is done. */
export async function begin() {
  store = await openStore(tell);
  await bringBack().catch((trouble) => {
    keeping = false;
    tell(`What was kept cannot be read (${reason(trouble)}), so this page begins empty and keeps nothing. Reload it to try again, or press “Forget everything” to begin anew.`);
  });
  keep();
  watch(keep);
  watch(() => void showUsage());
  others.addEventListener("message", () => void forgotten());
}

async function bringBack() {
  const { meta, supports, queries, weights } = await store.load();
  const { classes, currentClass, lesson, look, opacity, model, open, paused = false, shots, numbers } = /** @type {Record<string, any>} */ (meta ?? {});
  if (meta) change({ classes, currentClass, lesson, look, opacity, model, open, paused });
  const task = weights.find(({ id }) => id === TASK);
  if (task) change({ task: { name: task.name, file: task.file, shots, numbers: numbers ?? state.classes.map(({ number }) => number) } });
  change({
    models: weights.filter(({ id }) => id !== TASK).map(({ id, name, file }) => ({ id, name, file })),
    supports: (await Promise.all(supports.map((record) => support(record).catch(() => lost(record))))).flat(),
    queries: queries.map(query),
  });
  beginWith(state.models.find(({ id }) => id === model)?.file);
}

/** @param {import("./store.js").Support} record @returns {Promise<Support>} */
async function support({ id, name, file, width, height, hidden, labels }) {
  const painting = labels ? await Painting.of(width, height, await inflate(labels)) : new Painting(width, height);
  return { id, name, file, width, height, hidden, painting };
}

/** @param {{ name: string }} record */
function lost({ name }) {
  tell(`${name} was kept, and cannot be read any more. Bring it again.`);
  return [];
}

/** @param {import("./store.js").Query} record @returns {Query} */
function query({ id, name, file, width, height, lesson, result, classes, trouble, skipped, accepted, corrected, settled, thumb }) {
  const found = result && classes ? { width, height, result, classes } : undefined;
  return { id, name, file, width, height, lesson, found, trouble, skipped: skipped ?? false, accepted: accepted ?? false, corrected: corrected ?? false, settled, thumb };
}

/** Writes a record if what it is made of has changed. @template {import("./store.js").Kind} K @param {K} kind @param {string} id @param {unknown[]} parts @param {() => Parameters<typeof store.put<K>>[1]} record */
function write(kind, id, parts, record) {
  const before = written.get(`${kind} ${id}`);
  if (before && before.length === parts.length && before.every((part, at) => part === parts[at])) return;
  written.set(`${kind} ${id}`, parts);
  store.put(kind, record());
}

function keep() {
  if (!keeping) return;
  const { classes, currentClass, lesson, look, opacity, model, open, paused, task } = state;
  write("meta", "meta", [classes, currentClass, lesson, look, opacity, model, open, paused, task], () => ({
    id: "meta", classes, currentClass, lesson, look, opacity, model, open, paused, shots: task?.shots, numbers: task?.numbers,
  }));
  // A support without a painting has not been looked at yet, and may be refused.
  state.supports.filter(({ painting }) => painting).forEach(keepSupport);
  state.queries.forEach(keepQuery);
  const large = [...state.models, ...(task ? [{ id: TASK, ...task }] : [])];
  large.forEach(({ id, name, file }, order) =>
    write("weights", id, [file, order], () => ({ id, name, file, size: file.size, added: Date.now(), order })),
  );
  drop("supports", state.supports);
  drop("queries", state.queries);
  drop("weights", large);
}

/** @param {Support} support @param {number} order */
function keepSupport({ id, name, file, width, height, hidden, painting }, order) {
  write("supports", id, [order, name, hidden, painting?.version], () => ({
    id, name, file, width, height, hidden, order, labels: () => (painting ? atRest(painting) : deflate(new Uint8Array())),
  }));
}

/** What is being painted is kept once it is done. @param {Painting} painting */
async function atRest(painting) {
  await painting.rest();
  return deflate(painting.labels);
}

/** @param {Query} query @param {number} order */
function keepQuery({ id, name, file, width, height, lesson, found, trouble, skipped, accepted, corrected, settled, thumb, painting }, order) {
  // What hands did to a result is kept before it is accepted or taught with.
  const draft = painting?.canUndo ? painting : undefined;
  write("queries", id, [order, width, lesson, found, trouble, skipped, accepted, settled, thumb, draft?.version], () => ({
    id, name, file, width, height, order, lesson, result: found?.result, classes: found?.classes, trouble, skipped, accepted,
    corrected: corrected || draft !== undefined, settled: draft ? () => atRest(draft) : settled, thumb,
  }));
}

/** Forgets the records of what is no longer there. @param {"supports" | "queries" | "weights"} kind @param {{ id: string }[]} present */
function drop(kind, present) {
  const ids = new Set(present.map(({ id }) => `${kind} ${id}`));
  for (const key of written.keys()) {
    if (!key.startsWith(`${kind} `) || ids.has(key)) continue;
    written.delete(key);
    store.remove(kind, key.slice(kind.length + 1));
  }
}

/** How long the button asks whether it is meant, in milliseconds. */
const ASKED = 5000;
let asked = 0;

/** A second click is asked for: what is forgotten does not come back. */
async function forgetAll() {
  const button = find("button", "forget-all");
  const ask = (/** @type {boolean} */ now) => (button.textContent = now ? "Really? Click once more" : "Forget everything");
  if (asked === 0) {
    ask(true);
    asked = window.setTimeout(() => {
      asked = 0;
      ask(false);
    }, ASKED);
    return;
  }
  keeping = false;
  others.postMessage("forget");
  await store.forgetAll();
  location.reload();
}

/** The page in other tabs, one of which may be the one that keeps. */
const others = new BroadcastChannel(NAME);

async function forgotten() {
  keeping = false;
  await store.forgetAll();
  store.close();
  shownFor = -1;
  tell("Everything that was kept has been forgotten in another tab. What is here is not kept any more: save your results, or reload to begin anew.");
}

let shownFor = -1;

async function showUsage() {
  const count = state.supports.length + state.queries.length + state.models.length + Number(state.offline);
  if (count === shownFor) return;
  shownFor = count;
  const { used } = await store.usage();
  find("p", "kept").textContent = keeping && store.keeps
    ? `${(used / 1e6).toFixed(1)} MB of pictures, results and networks, so that a reload loses nothing.${state.offline ? " The page itself opens without a network, too." : ""}`
    : "Nothing is kept of what you do here.";
}

export function setUpKeeper() {
  find("button", "forget-all").addEventListener("click", () => void forgetAll());
}
