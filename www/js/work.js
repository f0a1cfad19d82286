// Decides what the engine does next: learn when the supports have changed, show what is waited for, look through the
// pictures that have not been looked through with what is known now, the open one first. One step at a time, and after
// each the state is read afresh, so that whatever the user did meanwhile counts at once.
import { inflate } from "./deflate.js";
import { Engine } from "./engine.js";
import { Painting } from "./painting.js";
import { pause } from "./slices.js";
import { wantedDevice, wantedSize, wantSize } from "./settings.js";
import { change, isTaught, lessons, openQuery, state, teach, tell, watch } from "./state.js";
import { reason } from "./words.js";

/** @typedef {import("./state.js").Query} Query */
/** @typedef {import("../fewseg").Look} Look */

/** Pixels a card is wide, at most, on a dense screen. */
const PREVIEW = 360;
/** A GPU that is lost this often in a row is not tried again by itself. */
const TRIALS = 3;

/** @type {Engine} */
let engine;
/** @type {Blob | undefined} weights the user has given, to be used on the next device too */
let weights;
let working = false;
let losses = 0;
/** What the session has learned: a task file, and shots by their keys. Another object whenever it forgets them. @typedef {{ task?: Blob, shots: Set<string> }} Memory */
/** @type {Memory} */
let memory = { shots: new Set() };
/** @type {(() => void)[]} those who wait for the engine to be ready again */
const waiting = [];
/** @type {Set<string>} the queries whose cards are near the screen and wait for their labels */
const wanted = new Set();

/** @type {Engine["ask"]} */
export const ask = (...question) => engine.ask(...question);

/** Resolves when the engine is ready, again or at last. @returns {Promise<void>} */
export const whenReady = () => (state.engine.phase === "ready" ? Promise.resolve() : new Promise((go) => waiting.push(go)));

/** Starts the engine, or another in its place: a device can be taken only once by the same worker. */
export async function start() {
  engine?.close();
  const mine = new Engine(stopped);
  engine = mine;
  forget();
  change({ engine: { phase: "loading", progress: {} }, learnt: { lesson: -1, able: false }, learning: undefined });
  for (const query of state.queries) query.progress = undefined;
  try {
    const info = await mine.ask("open", { device: wantedDevice(), size: wantedSize(), weights }, loading);
    change({ engine: { phase: "ready", progress: {}, info }, look: { ...state.look, threshold: state.look.threshold || info.threshold } });
    for (const go of waiting.splice(0)) go();
    if (info.note) tell(info.note);
  } catch (trouble) {
    if (mine === engine) tell(trouble);
  }
}

/** @param {import("../protocol").Progress} progress */
function loading(progress) {
  change({ engine: { phase: "loading", progress: { ...state.engine.progress, [progress.stage]: progress } } });
}

/** @param {string} message @param {boolean} device  the GPU was lost: what was going on can go on with it anew */
function stopped(message, device) {
  const offer = smallerSize();
  const culprit = state.queries.find(({ progress }) => progress);
  change({ engine: { phase: "stopped", progress: {} }, learning: undefined });
  for (const query of state.queries) query.progress = undefined;
  if (device && ++losses <= TRIALS) {
    tell("The GPU was lost and is being taken again; the work goes on.");
    return void start();
  }
  // What stopped the program would stop it again; the others go on.
  if (culprit && !device) Object.assign(culprit, { trouble: message, lesson: state.lesson, found: undefined, preview: undefined });
  tell(culprit ? `${culprit.name}: ${message}` : message, offer);
}

/** Less memory is needed at a smaller size; but a task is of one size. */
function smallerSize() {
  const size = state.engine.info?.size ?? wantedSize() ?? 256;
  const less = Math.floor(size / 2 / 32) * 32;
  if (less < 64 || state.task) return undefined;
  const run = () => {
    wantSize(less);
    for (const query of state.queries.filter(({ trouble }) => trouble)) Object.assign(query, { trouble: undefined, lesson: -1 });
    void start();
  };
  return { name: `Work at ${less} pixels`, run };
}

/** Uses other weights from now on. @param {Blob | undefined} file  none: those that came with the page */
export async function useWeights(file) {
  if (!file) {
    weights = undefined;
    change({ look: { ...state.look, threshold: 0 } });
    teach();
    return start();
  }
  forget();
  const info = await ask("load", { weights: file });
  weights = file;
  change({ engine: { ...state.engine, info }, learnt: { lesson: -1, able: false }, look: { ...state.look, threshold: info.threshold } });
  // What was learnt or looked through was so with the old weights: all of it is to be done again.
  teach();
}

/** What is asked of the session next makes it forget all that it has learned. */
const forget = () => (memory = /** @type {Memory} */ ({ shots: new Set() }));

/** Puts what a task file knows in place of what has been learned. @param {string} name @param {Blob} file */
export async function openTask(name, file) {
  const anew = forget();
  const opened = await ask("openTask", { name, task: file });
  anew.task = file;
  return opened;
}

/** Weights to begin with, before the engine is started. @param {Blob | undefined} file */
export const beginWith = (file) => void (weights = file);

/** A card has come near the screen and has nothing to show yet. @param {string} id */
export function want(id) {
  wanted.add(id);
  void work();
}

/** Its card has left the screen, or is gone with its picture. @param {string} id */
export function forgetPreview(id) {
  wanted.delete(id);
  const query = state.queries.find((query) => query.id === id);
  if (query) query.preview = undefined;
}

/** What was decided about it stays. @param {Query} query */
export const isSettled = ({ settled }) => settled !== undefined;

/** @param {Query} query */
const isPresent = (query) => state.queries.includes(query);

/** @param {Query} query */
export const isDue = (query) => query.width > 0 && !isSettled(query) && !query.skipped && query.lesson !== state.lesson;

/** @param {Look} a @param {Look} b */
const same = (a, b) => a.threshold === b.threshold && a.smallest === b.smallest && a.fill === b.fill && a.edges === b.edges;

/** @param {Query} query */
const isShown = ({ preview }) => preview !== undefined && same(preview.look, state.look);

/** Whether the easel shows what was decided, or what was found as it is to be shown now. What hands did to it comes first. @param {Query} query */
const isLaidOut = ({ painting, laid, settled, found }) =>
  painting !== undefined && (painting.edited || (laid !== undefined && laid.of === (settled ?? found) && (settled !== undefined || same(laid.look, state.look))));

/** @returns {(() => Promise<void>) | undefined} */
function next() {
  if (state.engine.phase !== "ready") return undefined;
  const open = openQuery();
  if (open && !state.painting && (open.settled || (open.found && !isDue(open))) && !isLaidOut(open)) return () => layOut(open);
  const shown = state.queries.find((query) => wanted.has(query.id) && (query.found || isSettled(query)) && !isShown(query));
  if (shown) return () => preview(shown);
  if (state.painting || !isTaught()) return undefined;
  if (state.learnt.lesson !== state.lesson) return learn;
  if (state.paused || !state.learnt.able) return undefined;
  const due = open && isDue(open) ? open : state.queries.find((query) => isDue(query) && wanted.has(query.id)) ?? state.queries.find(isDue);
  return due && (() => search(due));
}

async function learn() {
  const { lesson } = state;
  change({ learning: { stage: "features", done: 0, total: 1 } });
  try {
    const { task } = state;
    if (task && memory.task !== task.file) await openTask(task.name, task.file);
    const present = memory;
    const taught = await shots(present.shots);
    // A hand came meanwhile: what it does is to be learned too.
    if (memory !== present || state.painting || state.lesson !== lesson) return change({ learning: undefined });
    const copies = taught.flatMap((shot) => ("labels" in shot ? [shot.labels.buffer] : []));
    await ask("learn", { classes: classes(), shots: taught, withTask: task !== undefined }, (learning) => change({ learning }), copies);
    present.shots = new Set(taught.map(({ key }) => key));
    change({ learnt: { lesson, able: true }, learning: undefined });
  } catch (trouble) {
    change({ learnt: { lesson, able: false }, learning: undefined });
    if (state.engine.phase === "ready") tell(trouble);
  }
}

/** The classes as the worker takes them. */
export const classes = () => state.classes.map(({ number, name, colour }) => ({ number, name, colour }));

/** Of the shots that the session knows the key. The others' labels are copies to be given away, made one at a time: those of many large pictures would take long. @param {Set<string>} known */
async function shots(known) {
  /** @type {import("../protocol").Shot[]} */
  const taken = [];
  for (const { id, name, file, painting } of lessons()) {
    if (!painting) continue;
    await pause();
    await painting.rest();
    const key = `${id}.${painting.number}.${painting.version}`;
    taken.push(known.has(key) ? { key } : { key, name, picture: file, labels: painting.labels.slice() });
  }
  return taken;
}

/** @param {Query} query */
async function search(query) {
  const { lesson } = state;
  const { name, file: picture } = query;
  update(query, { progress: { stage: "decode", done: 0, total: 1 }, trouble: undefined });
  try {
    const found = await ask("segment", { name, picture }, (progress) => update(query, { progress }));
    update(query, { found, preview: undefined });
    losses = 0;
  } catch (trouble) {
    fail(query, trouble);
  } finally {
    if (state.engine.phase === "ready") query.lesson = lesson;
    update(query, { progress: undefined });
  }
}

/** The labels of a query at the picture's own resolution. @param {Query} query */
export async function labelsOf({ name, file: picture, found }) {
  if (!found) throw new Error(`${name} has not been looked through yet.`);
  return (await ask("labels", { name, picture, result: found.result, look: state.look })).labels;
}

/** Puts what was decided or found on the easel, to be looked at closely and corrected. @param {Query} query */
async function layOut(query) {
  const { look } = state;
  const of = query.settled ?? query.found;
  try {
    const labels = query.settled ? await inflate(query.settled) : await labelsOf(query);
    const painting = await Painting.of(query.width, query.height, labels);
    // A hand that came meanwhile must not lose its stroke.
    if (state.painting || query.painting?.edited || of !== (query.settled ?? query.found)) return;
    update(query, { painting, laid: { of, look } });
  } catch (trouble) {
    fail(query, trouble);
  }
}

/** @param {Query} query */
async function preview(query) {
  const { look } = state;
  const { name, file: picture, found, settled } = query;
  try {
    const { labels, width, height } = settled || !found ? await reduced(query) : await ask("labels", { name, picture, result: found.result, look, width: PREVIEW });
    if (query.found !== found || query.settled !== settled) return;
    if (wanted.has(query.id)) update(query, { preview: { labels, width, height, look } });
  } catch (trouble) {
    fail(query, trouble);
  }
}

/** What was decided, as large as a card. @param {Query} query */
async function reduced({ width, height, settled }) {
  const labels = await inflate(settled ?? new Uint8Array());
  const [wide, high] = [Math.min(width, PREVIEW), Math.max(1, Math.round((height * Math.min(width, PREVIEW)) / width))];
  const few = new Uint8Array(wide * high);
  for (let at = 0; at < few.length; at++) {
    const [x, y] = [at % wide, Math.floor(at / wide)];
    few[at] = labels[Math.floor(((y + 0.5) * height) / high) * width + Math.floor(((x + 0.5) * width) / wide)] ?? 0;
  }
  return { labels: few, width: wide, height: high };
}

/** What could not be done is said on the picture's own card. @param {Query} query @param {unknown} trouble */
function fail(query, trouble) {
  if (state.engine.phase !== "ready" || !isPresent(query)) return;
  update(query, { found: undefined, preview: undefined, trouble: reason(trouble) });
}

/** @param {Query} query @param {Partial<Query>} news */
function update(query, news) {
  Object.assign(query, news);
  change();
}

async function work() {
  if (working) return;
  working = true;
  for (let step = next(); step; step = next()) await step();
  working = false;
}

export const keepWorking = () => watch(() => void work());
