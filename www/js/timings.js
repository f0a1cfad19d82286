// What the stages of a picture take on this device: measured when asked for.
import { find, make } from "./dom.js";
import { isTaught, state, subject, tell, watch } from "./state.js";
import { ask } from "./work.js";

/** @typedef {import("../fewseg").Stage} Stage */

const table = find("table", "timings");
const words = find("p", "timings-words");
const button = find("button", "time");
let busy = false;
/** @type {unknown} what the table was measured on */
let measuredOn;

/** The open picture, or any that can be read. */
const example = () => subject() ?? [...state.queries, ...state.supports].find(({ width }) => width > 0);

/** As long as the stage takes beside the longest. @param {number} share */
function bar(share) {
  const found = make("span", { className: "timing", "aria-hidden": "true" });
  found.style.setProperty("--share", String(share));
  return found;
}

/** @param {Stage[]} stages */
function show(stages) {
  const times = stages.map(({ milliseconds }) => milliseconds ?? 0);
  const longest = Math.max(...times);
  const total = times.reduce((sum, time) => sum + time, 0);
  const row = (/** @type {Stage} */ { name, milliseconds }) =>
    make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, milliseconds?.toFixed(1) ?? "–"), make("td", {}, bar((milliseconds ?? 0) / (longest || 1))));
  table.tBodies[0]?.replaceChildren(...stages.map(row), make("tr", {}, make("th", { scope: "row" }, "together"), make("td", {}, `${total.toFixed(1)} ms`)));
  measuredOn = state.engine.info;
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

function sentence() {
  if (busy) return "Measuring …";
  if (!isTaught() || !example()) return "Paint something first; then it can be timed how long a picture takes.";
  return `Of one picture and one painted one, by ${state.engine.info?.device === "webgpu" ? "the GPU’s own clock" : "the clock"}.`;
}

function showState() {
  const now = sentence();
  // Only what has changed is read aloud.
  if (words.textContent !== now) words.textContent = now;
  button.disabled = busy || !state.learnt.able || !example();
  // Another device, or another network, has other times.
  table.hidden = measuredOn === undefined || measuredOn !== state.engine.info;
}

export function setUpTimings() {
  button.addEventListener("click", () => void measure());
  watch(showState);
}
