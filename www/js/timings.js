// What the stages of a picture take on this device: measured when asked for.
import { find, make } from "./dom.js";
import { state, subject, tell, watch } from "./state.js";
import { ask } from "./work.js";

/** @typedef {import("../fewseg").Stage} Stage */

const table = find("table", "timings");
const words = find("p", "timings-words");
const button = find("button", "time");
let busy = false;

/** The open picture, or any. */
const example = () => subject() ?? state.queries[0] ?? state.supports[0];

/** As long as the stage takes beside the longest. @param {number} share */
function bar(share) {
  const found = make("span", { className: "timing", "aria-hidden": "true" });
  found.style.setProperty("--share", String(share));
  return found;
}

/** @param {Stage[]} stages */
function show(stages) {
  const longest = Math.max(...stages.map(({ milliseconds }) => milliseconds));
  const total = stages.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  const row = (/** @type {Stage} */ { name, milliseconds }) =>
    make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, milliseconds.toFixed(1)), make("td", {}, bar(milliseconds / longest)));
  table.tBodies[0]?.replaceChildren(...stages.map(row), make("tr", {}, make("th", { scope: "row" }, "together"), make("td", {}, `${total.toFixed(1)} ms`)));
  table.hidden = false;
}

async function measure() {
  const picture = example();
  if (!picture) return;
  busy = true;
  showState();
  try {
    show(await ask("times", { name: picture.name, picture: picture.file }));
  } catch (trouble) {
    tell(trouble);
  }
  busy = false;
  showState();
}

function showState() {
  const { info } = state.engine;
  const ready = state.learnt.able && example() !== undefined;
  button.disabled = busy || !ready;
  if (busy) words.textContent = "Measuring …";
  else if (!ready) words.textContent = "Paint something first; then it can be timed how long a picture takes.";
  else words.textContent = `Of one picture and one painted one, by ${info?.device === "webgpu" ? "the GPU’s own clock" : "the clock"}.`;
}

export function setUpTimings() {
  button.addEventListener("click", () => void measure());
  watch(showState);
}
