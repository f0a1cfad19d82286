// Decides what the engine does next: keep up with the threshold, learn when the supports have changed, look through the
// pictures that have not been looked through with what is known now. One step at a time, and after each the state is
// read afresh, so that whatever the user did meanwhile counts at once.
import { Engine } from "./engine.js";
import { share } from "./mask.js";
import { wantedDevice, wantedSize } from "./settings.js";
import { change, state, teach, tell, watch } from "./state.js";

/** @typedef {import("./state.js").Query} Query */

/** @type {Engine} */
let engine;
/** @type {Blob | undefined} weights the user has given, to be used on the next device too */
let weights;
let working = false;

/** @type {Engine["ask"]} */
export const ask = (...question) => engine.ask(...question);

/** Starts the engine, or another in its place: a device can be taken only once by the same worker. */
export async function start() {
  engine?.close();
  const mine = new Engine(stopped);
  engine = mine;
  change({ engine: { phase: "loading", progress: {} }, learnt: { lesson: -1, able: false }, learning: undefined });
  for (const query of state.queries) forgetProgress(query);
  try {
    const info = await mine.ask("open", { device: wantedDevice(), size: wantedSize(), weights }, loading);
    change({ engine: { phase: "ready", progress: {}, info }, threshold: info.threshold });
    if (info.note) tell(info.note);
  } catch (trouble) {
    if (mine === engine) tell(trouble);
  }
}

/** @param {import("../protocol").Progress} progress */
function loading(progress) {
  change({ engine: { phase: "loading", progress: { ...state.engine.progress, [progress.stage]: progress } } });
}

/** @param {string} message */
function stopped(message) {
  change({ engine: { phase: "stopped", progress: {} }, learning: undefined });
  for (const query of state.queries) query.progress = undefined;
  tell(message);
}

/** @param {Query} query */
function forgetProgress(query) {
  query.progress = undefined;
  query.lesson = -1;
}

/** @param {File} file */
export async function useWeights(file) {
  try {
    const info = await ask("load", { weights: file });
    weights = file;
    const engine = { ...state.engine, info };
    change({ engine, threshold: info.threshold, learnt: { lesson: -1, able: false } });
    // What was being learnt or looked through meanwhile was forgotten with the old weights: all of it is to be done again.
    teach();
  } catch (trouble) {
    tell(trouble);
  }
}

/** The pictures that have something painted in them. */
export const lessons = () => state.supports.filter(({ painting }) => painting && painting.share > 0);

/** @param {Query} query */
const isPresent = (query) => state.queries.includes(query);

/** The session forgets what it found when it learns anew. @param {Query} query */
const isKept = ({ found, lesson }) => found && state.learnt.able && lesson === state.learnt.lesson;

/** @returns {(() => Promise<void>) | undefined} */
function next() {
  if (state.engine.phase !== "ready") return undefined;
  const shown = state.queries.find((query) => isKept(query) && query.found?.threshold !== state.threshold);
  if (shown) return () => look(shown);
  if (state.painting || lessons().length === 0) return undefined;
  if (state.learnt.lesson !== state.lesson) return learn;
  const unseen = state.queries.find(({ width, lesson }) => width > 0 && lesson !== state.lesson);
  return unseen && state.learnt.able ? () => search(unseen) : undefined;
}

async function learn() {
  const { lesson } = state;
  const shots = lessons().map(({ name, file, painting }) => ({
    name,
    picture: file,
    mask: painting?.mask ?? new Uint8Array(),
  }));
  change({ learning: { stage: "features", done: 0, total: shots.length } });
  try {
    await ask("learn", { shots }, (learning) => change({ learning }));
    change({ learnt: { lesson, able: true }, learning: undefined });
  } catch (trouble) {
    change({ learnt: { lesson, able: false }, learning: undefined });
    if (state.engine.phase === "ready") tell(trouble);
  }
}

/** @param {Query} query */
async function search(query) {
  const { lesson } = state;
  const { id: key, name, file: picture } = query;
  update(query, { progress: { stage: "decode", done: 0, total: 1 }, trouble: undefined });
  try {
    await ask("segment", { key, name, picture }, (progress) => update(query, { progress }));
    update(query, { lesson });
    await look(query);
  } catch (trouble) {
    query.lesson = lesson;
    fail(query, trouble);
  } finally {
    update(query, { progress: undefined });
  }
}

/** Fetches what was found, at the threshold of now. @param {Query} query */
async function look(query) {
  const { threshold } = state;
  if (!isPresent(query)) return;
  try {
    const mask = await ask("mask", { key: query.id, threshold });
    update(query, { found: { mask, threshold, share: share(mask) } });
  } catch (trouble) {
    fail(query, trouble);
  }
}

/** What could not be done is said on the picture's own card, unless it is to be done again anyway. @param {Query} query @param {unknown} trouble */
function fail(query, trouble) {
  if (state.engine.phase !== "ready" || !isPresent(query)) return;
  const text = trouble instanceof Error ? trouble.message : String(trouble);
  update(query, { found: undefined, trouble: query.lesson === state.lesson ? text : undefined });
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
