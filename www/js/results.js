// "Find it": what is known of each picture that is looked through, as tiles of the grid.
import { accept, openOnEasel } from "./desk.js";
import { find } from "./dom.js";
import { takeChoices, takeDrops } from "./doors.js";
import { Grid } from "./grid.js";
import { addQueries, removeQuery } from "./intake.js";
import { change, isTaught, state, watch } from "./state.js";
import { percent } from "./words.js";
import { forgetPreview, isDue, want } from "./work.js";

/** @typedef {import("./state.js").Query} Query */
/** @typedef {import("./arrange.js").Item} Item */

const STEPS = { decode: "Reading", features: "Looking", shot: "Comparing", program: "", weights: "", device: "" };

/** @param {string} id @param {(query: Query) => void} action */
function withQuery(id, action) {
  const query = state.queries.find((query) => query.id === id);
  if (query) action(query);
}

const grid = new Grid(find("div", "grid"), {
  select: () => undefined,
  open: (id) => withQuery(id, openOnEasel),
  accept: (id) => withQuery(id, (query) => void accept(query)),
  remove: (id) => withQuery(id, removeQuery),
  want,
  leave: forgetPreview,
  thumb: (id, thumb) => withQuery(id, (query) => {
    query.thumb = thumb;
    change();
  }),
  pause: () => change({ paused: true }),
  resume: () => change({ paused: false }),
  cancel,
});

/** What has not been looked through is left until it is opened, or something new is taught. */
function cancel() {
  for (const query of state.queries.filter(isDue)) query.skipped = true;
  change({ paused: false });
}

/** The share of the picture that any class has. @param {Query} query */
function share({ found, painting, preview }) {
  if (painting) return painting.share;
  if (preview) return marked(preview);
  // Classes may overlap until labels are made of them, so the largest is what there is at least.
  return Math.max(0, ...(found?.classes ?? []).map(({ share }) => share));
}

/** @type {WeakMap<Uint8Array, number>} */
const counted = new WeakMap();

/** @param {NonNullable<Query["preview"]>} preview */
function marked({ labels }) {
  const known = counted.get(labels) ?? labels.reduce((sum, label) => sum + (label === 0 ? 0 : 1), 0) / labels.length;
  counted.set(labels, known);
  return known;
}

/** How sure the network is of what it has found, the large more than the small. @param {Query} query */
function confidence({ found, settled }) {
  if (settled) return 1;
  if (!found) return undefined;
  const whole = found.classes.reduce((sum, { share }) => sum + share, 0);
  return whole > 0 ? found.classes.reduce((sum, { share, confidence }) => sum + share * confidence, 0) / whole : 0;
}

/** @param {Query} query @returns {Item["status"]} */
function status({ width, progress, trouble, found, settled, lesson }) {
  if (settled) return "found";
  if (width === 0) return "reading";
  if (progress) return "working";
  if (trouble) return "failed";
  if (!found) return "waiting";
  if (lesson !== state.lesson) return "stale";
  return found.classes.some(({ share }) => share > 0) ? "found" : "nothing";
}

/** What is going on in a picture, in a few words. @param {Query} query @param {Item["status"]} status @param {number} share @param {boolean} taught */
function words({ progress, trouble, corrected, accepted, skipped }, status, share, taught) {
  if (corrected) return "Corrected by you";
  if (accepted) return `Accepted, ${percent(share)} of the picture`;
  if (skipped) return "Left out; open it to look through it";
  if (status === "reading") return "Waiting to be read";
  if (progress) return `${STEPS[progress.stage]} ${progress.total > 1 ? `${progress.done} of ${progress.total}` : ""} …`;
  if (status === "failed") return trouble ?? "";
  if (status === "waiting" || status === "stale") return taught ? "Waiting its turn" : "Waiting for you to paint the thing";
  return status === "nothing" ? "Not found here" : `Found, ${percent(share)} of the picture`;
}

/** @param {Query} query @param {boolean} taught @returns {Item} */
function item(query, taught) {
  const { id, name, width, height, accepted, corrected, progress, preview, file, thumb } = query;
  const now = status(query);
  const part = share(query);
  return { id, name, width, height, status: now, words: words(query, now, part, taught), confidence: confidence(query), share: part, accepted, corrected, progress: progress && progress.done / Math.max(progress.total, 1), labels: preview, file, thumb };
}

/** @param {boolean} taught */
function run(taught) {
  if (state.paused) return "paused";
  return taught && state.queries.some((query) => isDue(query) || query.progress) ? "running" : "idle";
}

function show() {
  const taught = isTaught();
  grid.show({ items: state.queries.map((query) => item(query, taught)), classes: state.classes, run: run(taught) });
  find("section", "find").classList.toggle("filled", state.queries.length > 0);
  find("details", "look").hidden = state.queries.length === 0;
  find("span", "query-door-text").textContent = state.queries.length > 0 ? "Add more pictures" : "Drop or choose pictures to look through";
}

export function setUpResults() {
  takeDrops(find("label", "query-door"), (files) => void addQueries(files));
  takeChoices(find("input", "query-files"), (files) => void addQueries(files));
  takeChoices(find("input", "query-folder"), (files) => void addQueries(files));
  takeDrops(find("section", "find"), (files) => void addQueries(files));
  watch(show);
}
