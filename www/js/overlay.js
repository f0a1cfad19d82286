// Draws labels over their picture in the colours of the classes, with a light edge, so that they can be told from the
// picture whatever its colours. Only as many pixels are drawn as the canvas has, so a large photograph costs no more
// than a small one.
import { UNSURE } from "./painting.js";

/** @typedef {import("./shapes.js").Box} Box */
/** @typedef {import("./shapes.js").Grid} Grid */
/** @typedef {import("./view.js").View} View */
/** @typedef {{ number: number, colour: string, hidden?: boolean }} Coloured */

// Little-endian RGBA words.
const EDGE = 0xffffffff;
const STRIPE = 0xffffffff;
const GAP = 0x80201c1b;
const OPAQUE = 0xff000000;

/** The edge keeps about one width on the screen whatever the canvas's resolution. @param {HTMLCanvasElement} canvas */
const edgeWidth = ({ width, height }) => Math.max(1, Math.round(Math.max(width, height) / 420));

/** "#rrggbb" as a word. @param {string} colour */
function word(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16) || 0);
  return (OPAQUE | ((blue ?? 0) << 16) | ((green ?? 0) << 8) | (red ?? 0)) >>> 0;
}

/** A word for every class; 0 for labels that are not drawn. @param {Coloured[]} classes */
export function classColours(classes) {
  const words = new Uint32Array(256);
  for (const { number, colour, hidden } of classes) if (!hidden) words[number] = word(colour);
  return words;
}

/** The same, and one for what is not sure. @param {Coloured[]} classes */
export function palette(classes) {
  const words = classColours(classes);
  words[UNSURE] = STRIPE;
  return words;
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Grid} grid
 * @param {Uint32Array} colours  a `palette`
 * @param {View} [view]  where on the canvas the picture lies, the whole of it unless said otherwise
 * @param {Box} [box]  what of the picture has changed
 */
export function drawLabels(canvas, grid, colours, view = { scale: canvas.width / grid.width, x: 0, y: 0 }, box) {
  const reach = edgeWidth(canvas);
  const { left, top, right, bottom } = place(canvas, grid, view, reach, box);
  const [wide, high] = [right - left, bottom - top];
  if (wide <= 0 || high <= 0) return;
  const seen = sample(grid, colours, view, { left: left - reach, top: top - reach, right: right + reach, bottom: bottom + reach });
  const image = new ImageData(wide, high);
  const words = new Uint32Array(image.data.buffer);
  const row = wide + 2 * reach;
  for (let y = 0, to = 0; y < high; y++) {
    for (let x = 0, at = (y + reach) * row + reach; x < wide; x++, at++, to++) {
      const label = seen[at] ?? 0;
      if (label === 0) continue;
      const edge = seen[at - reach] !== label || seen[at + reach] !== label || seen[at - reach * row] !== label || seen[at + reach * row] !== label;
      if (edge) words[to] = EDGE;
      else if (label === UNSURE) words[to] = hatch(left + x + top + y, reach);
      else words[to] = colours[label] ?? 0;
    }
  }
  canvas.getContext("2d")?.putImageData(image, left, top);
}

/** @param {number} diagonal @param {number} reach */
const hatch = (diagonal, reach) => (diagonal % (6 * reach) < 2 * reach ? STRIPE : GAP);

/**
 * Where on the canvas it is to be drawn: as far as edges of what has changed may reach, and the picture does.
 * @param {HTMLCanvasElement} canvas @param {Grid} grid @param {View} view @param {number} reach @param {Box} [box] @returns {Box}
 */
function place(canvas, { width, height }, { scale, x, y }, reach, box = { left: 0, top: 0, right: width, bottom: height }) {
  return {
    left: Math.max(Math.floor(box.left * scale + x) - reach - 1, Math.round(x), 0),
    top: Math.max(Math.floor(box.top * scale + y) - reach - 1, Math.round(y), 0),
    right: Math.min(Math.ceil(box.right * scale + x) + reach + 1, Math.round(width * scale + x), canvas.width),
    bottom: Math.min(Math.ceil(box.bottom * scale + y) + reach + 1, Math.round(height * scale + y), canvas.height),
  };
}

/** The labels under a box of the canvas, those that are not drawn as background. @param {Grid} grid @param {Uint32Array} colours @param {View} view @param {Box} box */
function sample({ labels, width, height }, colours, { scale, x, y }, { left, top, right, bottom }) {
  const wide = right - left;
  const seen = new Uint8Array(wide * (bottom - top));
  const visible = Uint8Array.from(colours, (colour, label) => (colour === 0 ? 0 : label));
  const pixel = (/** @type {number} */ at, /** @type {number} */ from, /** @type {number} */ long) =>
    Math.min(Math.max(Math.floor((at + 0.5 - from) / scale), 0), long - 1);
  const columns = Int32Array.from({ length: wide }, (_, at) => pixel(left + at, x, width));
  for (let down = top, to = 0; down < bottom; down++) {
    const row = pixel(down, y, height) * width;
    for (let across = 0; across < wide; across++, to++) seen[to] = visible[labels[row + (columns[across] ?? 0)] ?? 0] ?? 0;
  }
  return seen;
}
