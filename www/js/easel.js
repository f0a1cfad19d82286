// The easel: the support picture in front of the user, and the brush, by mouse, finger, pen or keys.
import { find } from "./dom.js";
import { drawMask } from "./overlay.js";
import { change, current, state, teach, watch } from "./state.js";

/** @typedef {{ x: number, y: number }} Point */

/** Learning starts when the hand has rested this long, in milliseconds. */
const REST = 450;
const [SMALLEST, LARGEST] = [6, 160];

const frame = find("div", "easel");
const picture = find("img", "easel-picture");
const canvas = find("canvas", "easel-mask");
const cursor = find("div", "brush-cursor");
const size = find("input", "brush-size");

/** @type {import("./state.js").Support | undefined} */
let shown;
/** the version of the painting that the canvas shows */
let drawn = -2;
/** @type {{ painting: import("./mask.js").Painting, at: Point } | undefined} the stroke: what it is painted on and where it is, in pixels of the picture */
let pen;
/** @type {Point} where the keys have moved the brush to */
let keyed = { x: 0, y: 0 };
let resting = 0;

/** Pixels of the picture to one of the screen. */
const scale = () => canvas.width / canvas.getBoundingClientRect().width;
const radius = () => (state.brush.size / 2) * scale();

/** @param {PointerEvent} event @returns {Point} */
function at(event) {
  const box = canvas.getBoundingClientRect();
  return { x: (event.clientX - box.left) * scale(), y: (event.clientY - box.top) * scale() };
}

/** @param {Point} to */
function drawTo(to) {
  if (!pen) return;
  const box = pen.painting.draw(pen.at, to, radius(), state.brush.erase);
  drawMask(canvas, pen.painting.mask, box);
  pen.at = to;
}

/** @param {Point} from */
function begin(from) {
  end();
  clearTimeout(resting);
  if (!shown?.painting) return;
  state.painting = true;
  shown.painting.begin();
  pen = { painting: shown.painting, at: from };
  drawTo(from);
}

function end() {
  if (!pen) return;
  pen.painting.end();
  pen = undefined;
  teach();
  resting = window.setTimeout(() => change({ painting: false }), REST);
}

/** The browser has taken the finger for something else, a pinch say: it was no stroke. */
function cancel() {
  const painting = pen?.painting;
  end();
  painting?.undo();
}

/** @param {PointerEvent} event */
function down(event) {
  if (event.button !== 0 || !event.isPrimary) return;
  canvas.setPointerCapture(event.pointerId);
  showCursor(at(event));
  begin(at(event));
}

/** @param {PointerEvent} event */
function move(event) {
  if (!event.isPrimary) return;
  showCursor(at(event));
  if (!pen) return;
  const between = event.getCoalescedEvents();
  for (const step of between.length > 0 ? between : [event]) drawTo(at(step));
}

/** @param {Point} point */
function showCursor({ x, y }) {
  keyed = { x, y };
  cursor.hidden = false;
  cursor.classList.toggle("erase", state.brush.erase);
  cursor.style.width = cursor.style.height = `${state.brush.size}px`;
  cursor.style.translate = `${x / scale() - state.brush.size / 2}px ${y / scale() - state.brush.size / 2}px`;
}

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Arrows move the brush, with Shift they paint, the space bar paints one dot. @param {KeyboardEvent} event */
function key(event) {
  const way = ARROWS[event.key];
  if (way) {
    const to = {
      x: Math.min(Math.max(keyed.x + way[0] * radius() * 0.5, 0), canvas.width),
      y: Math.min(Math.max(keyed.y + way[1] * radius() * 0.5, 0), canvas.height),
    };
    if (event.shiftKey) stroke(keyed, to);
    showCursor(to);
  } else if (event.key === " " || event.key === "Enter") {
    stroke(keyed, keyed);
  } else return;
  event.preventDefault();
}

/** @param {Point} from @param {Point} to */
function stroke(from, to) {
  begin(from);
  drawTo(to);
  end();
}

/** @param {number} pixels */
const resize = (pixels) => change({ brush: { ...state.brush, size: Math.min(Math.max(pixels, SMALLEST), LARGEST) } });
/** @param {boolean} erase */
const choose = (erase) => change({ brush: { ...state.brush, erase } });

/** @param {"undo" | "redo" | "clear"} step */
function step(step) {
  const painting = current()?.painting;
  if (!painting || pen) return;
  const { version } = painting;
  painting[step]();
  if (painting.version !== version) teach();
}

/** Letters anywhere on the page, but not where letters are written. @param {KeyboardEvent} event */
function shortcut(event) {
  const command = event.ctrlKey || event.metaKey;
  if (command && event.key.toLowerCase() === "z") {
    event.preventDefault();
    step(event.shiftKey ? "redo" : "undo");
  }
  if (command || event.altKey || !current()) return;
  if (event.key === "b" || event.key === "e") choose(event.key === "e");
  if (event.key === "[" || event.key === "]") resize(state.brush.size * (event.key === "[" ? 0.8 : 1.25));
}

function show() {
  // The picture under a stroke stays on the easel until the stroke ends, whatever is brought meanwhile.
  const support = pen ? shown : current();
  frame.hidden = !support?.painting;
  if (support?.painting && support !== shown) place(support);
  if (!support?.painting) shown = undefined;
  size.value = String(state.brush.size);
  const painting = support?.painting;
  if (painting && !pen && drawn !== painting.version) redraw(painting);
  find("button", "tool-brush").setAttribute("aria-pressed", String(!state.brush.erase));
  find("button", "tool-eraser").setAttribute("aria-pressed", String(state.brush.erase));
  find("button", "undo").disabled = !painting?.canUndo;
  find("button", "redo").disabled = !painting?.canRedo;
  find("button", "clear").disabled = !painting?.share;
}

/** A large picture is drawn whole only when it has to be: that takes a tenth of a second. @param {import("./mask.js").Painting} painting */
function redraw(painting) {
  drawMask(canvas, painting.mask, drawn + 1 === painting.version ? painting.touched : painting.whole);
  drawn = painting.version;
}

/** @param {import("./state.js").Support} support */
function place(support) {
  shown = support;
  drawn = -2;
  picture.src = support.url;
  picture.alt = support.name;
  canvas.width = support.width;
  canvas.height = support.height;
  canvas.setAttribute("aria-label", `Paint on ${support.name}: the arrow keys move the brush, with Shift they paint, the space bar paints a dot`);
  frame.style.setProperty("--ratio", String(support.width / support.height));
  keyed = { x: support.width / 2, y: support.height / 2 };
  cursor.hidden = true;
}

export function setUpEasel() {
  canvas.addEventListener("pointerdown", down);
  canvas.addEventListener("pointermove", move);
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", cancel);
  canvas.addEventListener("pointerleave", () => (cursor.hidden = !pen && document.activeElement !== canvas));
  canvas.addEventListener("keydown", key);
  canvas.addEventListener("focus", () => canvas.matches(":focus-visible") && showCursor(keyed));
  canvas.addEventListener("blur", () => (cursor.hidden = true));
  size.addEventListener("input", () => resize(Number(size.value)));
  find("button", "tool-brush").addEventListener("click", () => choose(false));
  find("button", "tool-eraser").addEventListener("click", () => choose(true));
  for (const name of /** @type {const} */ (["undo", "redo", "clear"])) find("button", name).addEventListener("click", () => step(name));
  document.addEventListener("keydown", shortcut);
  watch(show);
}
