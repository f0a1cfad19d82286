// The labels of a picture and how they are painted: a byte a pixel at the picture's own resolution. 0 is the background,
// 1 to 250 the number of a class, 255 not sure. No page in here.
import { around, setPolygon, setRegion, setStroke } from "./shapes.js";

/** @typedef {import("./shapes.js").Box} Box */
/** @typedef {import("./shapes.js").Point} Point */
/** @typedef {{ box: Box, labels: Uint8Array }} Patch  what was in a box at another time */

export const BACKGROUND = 0;
export const LAST_CLASS = 250;
export const UNSURE = 255;

/** A history of whole photographs would fill the memory. */
const KEPT_BYTES = 64e6;

/** Counts the pixels of each value in a stretch of labels, run by run. @param {Float64Array} pixels @param {Uint8Array} labels @param {number} from @param {number} to @param {1 | -1} sign */
function tally(pixels, labels, from, to, sign) {
  for (let at = from; at < to; ) {
    const start = at;
    const value = labels[at] ?? 0;
    while (at < to && labels[at] === value) at++;
    pixels[value] = (pixels[value] ?? 0) + sign * (at - start);
  }
}

let paintings = 0;

export class Painting {
  /** @type {Patch[]} */
  #done = [];
  /** @type {Patch[]} */
  #undone = [];
  /** @type {{ before: Uint8Array, box?: Box } | undefined} */
  #stroke;
  /** how many pixels have each value */
  #pixels = new Float64Array(256);

  /** @param {number} width @param {number} height @param {Uint8Array} [labels]  taken over, not copied */
  constructor(width, height, labels = new Uint8Array(width * height)) {
    this.width = width;
    this.height = height;
    this.labels = labels;
    /** tells it from every other */
    this.number = ++paintings;
    /** counts the finished changes, so that whoever shows it knows when to draw it again */
    this.version = 0;
    /** what the last of them touched */
    this.touched = this.whole;
    tally(this.#pixels, labels, 0, labels.length, 1);
  }

  get canUndo() {
    return this.#done.length > 0;
  }

  get canRedo() {
    return this.#undone.length > 0;
  }

  /** @returns {Box} */
  get whole() {
    return { left: 0, top: 0, right: this.width, bottom: this.height };
  }

  /** The share of the picture that each value has which is there at all, as of the last finished change. */
  counts() {
    /** @type {Map<number, number>} */
    const shares = new Map();
    this.#pixels.forEach((pixels, value) => pixels > 0 && shares.set(value, pixels / this.labels.length));
    return shares;
  }

  /** The share of the picture that any class has. */
  get share() {
    return this.#pixels.subarray(1, LAST_CLASS + 1).reduce((sum, pixels) => sum + pixels, 0) / this.labels.length;
  }

  /** From here to `end` is one step to undo. */
  begin() {
    this.end();
    this.#stroke = { before: this.labels.slice() };
  }

  /** Draws a round brush from one point to another. @param {Point} from @param {Point} to @param {number} radius @param {number} value */
  draw(from, to, radius, value) {
    return this.#touch(setStroke(this, from, to, radius, value));
  }

  /** Fills a closed outline. @param {Point[]} corners @param {number} value */
  polygon(corners, value) {
    return this.#touch(setPolygon(this, corners, value));
  }

  /** Fills a region: see `setRegion`. @param {Point} point @param {number} value */
  fill(point, value) {
    return this.#touch(setRegion(this, point, value));
  }

  /** Whether anything is different now: where nothing is, there is nothing to undo. */
  end() {
    const stroke = this.#stroke;
    this.#stroke = undefined;
    if (!stroke?.box) return false;
    const patch = { box: stroke.box, labels: this.#cut(stroke.before, stroke.box) };
    if (!this.#differs(patch)) return false;
    this.#recount(patch);
    this.#keep(patch);
    return true;
  }

  /** It was no stroke: all is as before it. */
  cancel() {
    const stroke = this.#stroke;
    this.#stroke = undefined;
    if (!stroke?.box) return;
    this.labels.set(stroke.before);
    this.#changed(stroke.box);
  }

  /** Other labels in place of these; can be undone like a stroke. @param {Uint8Array} labels */
  replace(labels) {
    this.begin();
    this.labels.set(labels);
    this.#touch(this.whole);
    return this.end();
  }

  clear() {
    return this.replace(new Uint8Array(this.labels.length));
  }

  /** What a class that is no more had becomes background, in the history too: undoing does not bring the class back. @param {number} number */
  removeClass(number) {
    this.renumber(number, BACKGROUND);
  }

  /** One number becomes another, now and in the history. @param {number} from @param {number} to */
  renumber(from, to) {
    this.end();
    for (const { labels } of [this, ...this.#done, ...this.#undone]) {
      for (let at = labels.indexOf(from); at >= 0; at = labels.indexOf(from, at + 1)) labels[at] = to;
    }
    this.#pixels.fill(0);
    tally(this.#pixels, this.labels, 0, this.labels.length, 1);
    this.#changed(this.whole);
  }

  undo() {
    this.#swap(this.#done, this.#undone);
  }

  redo() {
    this.#swap(this.#undone, this.#done);
  }

  /** @param {Box | undefined} box */
  #touch(box) {
    if (this.#stroke && box) this.#stroke.box = this.#stroke.box ? around(this.#stroke.box, box) : box;
    return box;
  }

  /** @param {Patch} patch */
  #keep(patch) {
    this.#done.push(patch);
    let bytes = this.#done.reduce((sum, { labels }) => sum + labels.length, 0);
    while (bytes > KEPT_BYTES && this.#done.length > 1) bytes -= this.#done.shift()?.labels.length ?? 0;
    this.#undone = [];
    this.#changed(patch.box);
  }

  /** @param {Patch[]} from @param {Patch[]} to */
  #swap(from, to) {
    this.end();
    const patch = from.pop();
    if (!patch) return;
    const present = { box: patch.box, labels: this.#cut(this.labels, patch.box) };
    this.#paste(patch);
    this.#recount(present);
    to.push(present);
    this.#changed(patch.box);
  }

  /** @param {Box} box */
  #changed(box) {
    this.touched = box;
    this.version++;
  }

  /** Whether a patch is other than what is there now. @param {Patch} patch */
  #differs({ box: { left, top, right, bottom }, labels }) {
    const { labels: now, width } = this;
    for (let y = top, at = 0; y < bottom; y++) {
      for (let x = left; x < right; x++, at++) if (labels[at] !== now[y * width + x]) return true;
    }
    return false;
  }

  /** Counts what is there now in place of what was before. @param {Patch} before */
  #recount({ box: { left, top, right, bottom }, labels }) {
    tally(this.#pixels, labels, 0, labels.length, -1);
    for (let y = top; y < bottom; y++) tally(this.#pixels, this.labels, y * this.width + left, y * this.width + right, 1);
  }

  /** @param {Uint8Array} labels @param {Box} box */
  #cut(labels, { left, top, right, bottom }) {
    const piece = new Uint8Array((right - left) * (bottom - top));
    for (let y = top; y < bottom; y++) {
      piece.set(labels.subarray(y * this.width + left, y * this.width + right), (y - top) * (right - left));
    }
    return piece;
  }

  /** @param {Patch} patch */
  #paste({ box: { left, top, right, bottom }, labels }) {
    const wide = right - left;
    for (let y = top; y < bottom; y++) {
      this.labels.set(labels.subarray((y - top) * wide, (y - top + 1) * wide), y * this.width + left);
    }
  }
}
