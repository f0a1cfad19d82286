// "Find it": one card for each picture that is looked through, with what was found drawn over it.
import { find, icon, keepList, make, save, takeChoices, takeDrops } from "./dom.js";
import { addQueries, removeQuery, stem } from "./intake.js";
import { cutOut, drawMask, thin } from "./overlay.js";
import { change, state, tell, watch } from "./state.js";
import { percent } from "./supports.js";
import { ask, lessons } from "./work.js";

/** @typedef {import("./state.js").Query} Query */
/** @typedef {{ card: HTMLElement, canvas: HTMLCanvasElement, text: HTMLElement, bar: HTMLProgressElement, save: HTMLButtonElement[], drawn?: Uint8Array }} Card */

const grid = find("ul", "results");
const threshold = find("input", "threshold");
const opacity = find("input", "opacity");
/** @type {Map<string, Card>} */
const cards = new Map();

const STEPS = { decode: "Reading", features: "Looking", shot: "Comparing", program: "", weights: "", device: "" };

/** @param {Query} query */
function create(query) {
  const canvas = make("canvas", { className: "found", role: "img" });
  const text = make("span", { className: "outcome" });
  const bar = make("progress", { max: 1, "aria-label": `Progress in ${query.name}` });
  const mask = saveButton("Mask", `Download the mask of ${query.name} as PNG`, () => saveMask(query));
  const cut = saveButton("Cut-out", `Download what was found in ${query.name}, cut out, as PNG`, () => saveCutOut(query));
  const remove = make("button", { type: "button", className: "quiet", "aria-label": `Remove ${query.name}` }, icon("remove"));
  remove.addEventListener("click", () => removeQuery(query));
  const picture = make("div", { className: "picture" }, make("img", { src: query.url, alt: query.name }), canvas, bar);
  const caption = make("figcaption", {}, make("strong", {}, query.name), text);
  const row = make("div", { className: "row" }, mask, cut, remove);
  const card = make("li", { className: "card" }, make("figure", { "aria-label": query.name }, picture, caption, row));
  cards.set(query.id, { card, canvas, text, bar, save: [mask, cut] });
  return card;
}

/** @param {string} text @param {string} label @param {() => Promise<void>} action */
function saveButton(text, label, action) {
  const button = make("button", { type: "button", className: "quiet", "aria-label": label }, icon("save"), text);
  button.addEventListener("click", () => void action().catch(tell));
  return button;
}

/** @param {Query} query */
async function saveMask({ id, name, found }) {
  if (!found) return;
  const png = await ask("maskPng", { key: id, threshold: found.threshold });
  save(new Blob([/** @type {BlobPart} */ (png)], { type: "image/png" }), `${stem(name)}-mask.png`);
}

/** @param {Query} query */
async function saveCutOut({ name, file, found }) {
  if (found) save(await cutOut(file, found.mask), `${stem(name)}-cut.png`);
}

/** What is going on in a picture, in a few words. @param {Query} query */
function outcome(query) {
  const { width, progress, trouble, found, lesson } = query;
  if (width === 0) return "Waiting to be read";
  if (progress) return `${STEPS[progress.stage]} ${progress.total > 1 ? `${progress.done} of ${progress.total}` : ""} …`;
  if (trouble) return trouble;
  if (lesson !== state.lesson) return lessons().length > 0 ? "Waiting its turn" : "Waiting for you to paint the thing";
  if (!found) return "";
  return found.share === 0 ? "Not found here" : `Found, ${percent(found.share)} of the picture`;
}

/** @param {Query} query @param {Card} card */
function refresh(query, card) {
  const { found, progress } = query;
  card.text.textContent = outcome(query);
  // What goes wrong is read aloud at once; what goes well can wait for the user to come by.
  if (query.trouble) card.text.role = "alert";
  else card.text.removeAttribute("role");
  const stale = query.lesson !== state.lesson;
  card.card.classList.toggle("stale", Boolean(found) && stale);
  card.card.setAttribute("aria-busy", String(Boolean(progress)));
  card.bar.hidden = !progress;
  // One step of one says nothing: let the bar run instead.
  if (progress && progress.total > 1) card.bar.value = progress.done / progress.total;
  else card.bar.removeAttribute("value");
  for (const button of card.save) button.disabled = !found || found.share === 0 || stale;
  if (card.drawn !== found?.mask) draw(query, card);
}

/** @param {Query} query @param {Card} card */
function draw({ name, width, height, found }, card) {
  card.drawn = found?.mask;
  const step = Math.max(1, Math.floor(width / (card.card.clientWidth * devicePixelRatio)));
  const few = found ? thin(found.mask, width, height, step) : { mask: new Uint8Array(), width: 0, height: 0 };
  card.canvas.width = few.width;
  card.canvas.height = few.height;
  card.canvas.setAttribute("aria-label", found ? `${percent(found.share)} of ${name} is marked` : "");
  drawMask(card.canvas, few.mask);
}

function show() {
  keepList(grid, state.queries, create);
  for (const id of cards.keys()) if (!state.queries.some((query) => query.id === id)) cards.delete(id);
  for (const query of state.queries) {
    const card = cards.get(query.id);
    if (card) refresh(query, card);
  }
  find("section", "find").classList.toggle("filled", state.queries.length > 0);
  find("div", "result-tools").hidden = state.queries.length === 0;
  find("span", "query-door-text").textContent = state.queries.length > 0 ? "Add more pictures" : "Drop or choose pictures to look through";
  showSliders();
}

function showSliders() {
  threshold.value = String(Math.round(100 * state.threshold));
  opacity.value = String(Math.round(100 * state.opacity));
  find("output", "threshold-value").textContent = `${threshold.value} %`;
  find("output", "opacity-value").textContent = `${opacity.value} %`;
  grid.style.setProperty("--opacity", String(state.opacity));
}

export function setUpResults() {
  takeDrops(find("label", "query-door"), (files) => void addQueries(files));
  takeChoices(find("input", "query-files"), (files) => void addQueries(files));
  takeDrops(find("section", "find"), (files) => void addQueries(files));
  threshold.addEventListener("input", () => change({ threshold: Number(threshold.value) / 100 }));
  opacity.addEventListener("input", () => change({ opacity: Number(opacity.value) / 100 }));
  watch(show);
}
