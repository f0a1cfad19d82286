// Puts the easel on the page: the tools beside it, their keys, and the state behind them.
import { find } from "./dom.js";
import { Easel } from "./easel.js";
import { BACKGROUND, UNSURE } from "./painting.js";
import { change, currentClass, state, subject, watch } from "./state.js";
import { urlOf } from "./urls.js";
import { percent } from "./words.js";

/** @typedef {import("./easel.js").Subject} Subject */
/** @typedef {import("./state.js").Tool} Tool */
/** @typedef {import("./shapes.js").Point} Point */

/** Learning starts when the hand has rested this long, in milliseconds. */
const REST = 450;
const [SMALLEST, LARGEST] = [6, 160];

/** @type {Record<string, Tool>} */
const TOOL_KEYS = { b: "brush", e: "eraser", p: "polygon", l: "lasso", f: "fill", n: "unsure" };

const size = find("input", "brush-size");
const keys = find("div", "keys");
const tools = Object.values(TOOL_KEYS);
let resting = 0;

/** @param {number} pixels */
const resize = (pixels) => change({ brushSize: Math.min(Math.max(Math.round(pixels), SMALLEST), LARGEST) });

/** Whoever takes a tool wants to paint. @param {Tool} tool */
const choose = (tool) => change({ tool, asking: false });

const toolInHand = () => (state.asking ? "point" : state.tool);

/** The class in that place of the list, from 1. @param {number} place */
function chooseClass(place) {
  const chosen = state.classes[place - 1];
  if (chosen) change({ currentClass: chosen.number });
}

/** Where letters are written they mean themselves. @param {EventTarget | null} target */
const isWriting = (target) =>
  target instanceof HTMLElement && target.matches("textarea, select, [contenteditable], input:not([type=range], [type=checkbox], [type=radio], [type=file])");

/** The picture on the easel, once it can be painted on. @returns {Subject | undefined} */
function painted() {
  const on = subject();
  return on?.painting && { ...on, url: urlOf(on), painting: on.painting };
}

function begun() {
  clearTimeout(resting);
  state.painting = true;
}

function rest() {
  clearTimeout(resting);
  resting = window.setTimeout(() => change({ painting: false }), REST);
  change();
}

/** @type {Easel} */
let easel;

/**
 * Places are in shares of the picture.
 * @typedef {object} Marks
 * @property {(subject: Subject) => void} marked  it has got other labels by the user's hand
 * @property {(place: Point) => void} walked  the keys have moved the cursor there
 * @property {(place: Point) => void} pointed  while asking: this is the place
 */

/** @returns {import("./easel.js").Marker} */
function marker() {
  const { brushSize: size, currentClass: number, classes } = state;
  return { tool: toolInHand(), size, number, colour: currentClass()?.colour ?? "#000000", classes };
}

/** @param {Marks} marks */
export function setUpMarking({ marked, walked, pointed }) {
  easel = new Easel(find("div", "easel"), {
    begun: () => {
      begun();
      easel.equip(marker());
    },
    ended: (on, changed) => {
      if (changed) marked(on);
      rest();
    },
    outlined: (corners) => showSteps(corners),
    looked: showNearness,
    walked,
    pointed,
  });

  /** @param {"undo" | "redo" | "clear"} step */
  async function step(step) {
    if (easel.isBusy) return;
    if (step === "undo" && easel.corners > 0) return easel.removeCorner();
    const on = painted();
    if (!on) return;
    begun();
    if (await on.painting[step]()) marked(on);
    rest();
  }

  /** @type {Record<string, () => void>} */
  const plain = {
    "[": () => resize(state.brushSize * 0.8),
    "]": () => resize(state.brushSize * 1.25),
    "+": () => easel.step(1),
    "=": () => easel.step(1),
    "-": () => easel.step(-1),
    0: () => easel.showWhole(),
    "?": () => void keys.togglePopover(),
  };

  /** Anywhere on the page. @param {KeyboardEvent} event */
  function shortcut(event) {
    if (isWriting(event.target) || !subject()) return;
    const key = event.key.toLowerCase();
    if (event.ctrlKey || event.metaKey) {
      if (key !== "z" && key !== "y") return;
      event.preventDefault();
      return void step(key === "y" || event.shiftKey ? "redo" : "undo");
    }
    if (event.altKey) return;
    const tool = TOOL_KEYS[key];
    if (tool) choose(tool);
    else if (/^[1-9]$/.test(key)) chooseClass(Number(key));
    else plain[key]?.();
  }

  function show() {
    easel.show(painted(), marker());
    find("div", "paint-tools").hidden = !painted();
    showTools();
    showPainted();
    showSteps(easel.corners);
  }

  size.addEventListener("input", () => resize(Number(size.value)));
  for (const tool of tools) find("button", `tool-${tool}`).addEventListener("click", () => choose(tool));
  for (const name of /** @type {const} */ (["undo", "redo", "clear"])) find("button", name).addEventListener("click", () => void step(name));
  find("button", "zoom-in").addEventListener("click", () => easel.step(1));
  find("button", "zoom-out").addEventListener("click", () => easel.step(-1));
  find("button", "zoom-whole").addEventListener("click", () => easel.showWhole());
  find("button", "outline-close").addEventListener("click", () => easel.closeOutline());
  find("button", "outline-back").addEventListener("click", () => easel.removeCorner());
  find("button", "outline-drop").addEventListener("click", () => easel.dropOutline());
  document.addEventListener("keydown", shortcut);
  watch(show);
}

function showTools() {
  for (const tool of tools) find("button", `tool-${tool}`).setAttribute("aria-pressed", String(tool === toolInHand()));
  find("div", "paint-tools").dataset["tool"] = toolInHand();
  size.value = String(state.brushSize);
}

/** What can be taken back, and what can be done with an open outline. @param {number} corners */
function showSteps(corners) {
  const painting = subject()?.painting;
  find("button", "undo").disabled = !painting?.canUndo && corners === 0;
  find("button", "redo").disabled = !painting?.canRedo;
  find("button", "clear").disabled = !painting || painting.counts().get(BACKGROUND) === 1;
  find("button", "outline-close").disabled = corners < 3;
  find("button", "outline-back").disabled = corners === 0;
  find("button", "outline-drop").disabled = corners === 0;
}

/** How much of the picture each class has. */
function showPainted() {
  const shares = subject()?.painting?.counts() ?? new Map();
  const named = [...state.classes, { number: UNSURE, name: "not sure" }].filter(({ number }) => shares.has(number));
  const text = named.map(({ number, name }) => `${name} ${percent(shares.get(number))}`).join(", ") || "Nothing is painted yet.";
  const painted = find("p", "painted");
  // Only what has changed is read aloud.
  if (painted.textContent !== text) painted.textContent = text;
}

/** @param {number} nearness */
function showNearness(nearness) {
  const text = `${Math.round(100 * nearness)} %`;
  find("button", "zoom-whole").textContent = text;
  find("button", "zoom-whole").setAttribute("aria-label", `${text}: show the whole picture`);
  find("button", "zoom-out").disabled = nearness < 1.001;
  find("button", "zoom-whole").disabled = nearness < 1.001;
}
