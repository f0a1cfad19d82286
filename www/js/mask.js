// A mask and how it is painted: one byte a pixel, 0 or 255, at the picture's own resolution. No page in here.

/** @typedef {{ left: number, top: number, right: number, bottom: number }} Box  right and bottom excluded */
/** @typedef {{ box: Box, before: Uint8Array }} Patch */

/** A history of whole masks of a large photograph would fill the memory. */
const KEPT_BYTES = 64e6;

/** @param {Box} a @param {Box} b @returns {Box} */
export const around = (a, b) => ({
  left: Math.min(a.left, b.left),
  top: Math.min(a.top, b.top),
  right: Math.max(a.right, b.right),
  bottom: Math.max(a.bottom, b.bottom),
});

/** @param {Uint8Array} mask */
export function share(mask) {
  let set = 0;
  for (const value of mask) set += value >>> 7;
  return set / mask.length;
}

/** Squared distance of a point to the line between two others. @param {number} x @param {number} y @param {{ x: number, y: number }} a @param {{ x: number, y: number }} b */
function toLine(x, y, a, b) {
  const dx = b.x - a.x;
  const dy = b.y - a.y;
  const long = dx * dx + dy * dy;
  const t = long === 0 ? 0 : Math.min(Math.max(((x - a.x) * dx + (y - a.y) * dy) / long, 0), 1);
  return (x - a.x - t * dx) ** 2 + (y - a.y - t * dy) ** 2;
}

export class Painting {
  /** @type {Patch[]} */
  #done = [];
  /** @type {Patch[]} */
  #undone = [];
  /** @type {{ before: Uint8Array, box?: Box } | undefined} */
  #stroke;

  /** @param {number} width @param {number} height */
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.mask = new Uint8Array(width * height);
    this.share = 0;
    /** counts the finished changes, so that whoever shows it knows when to draw it again */
    this.version = 0;
    /** what the last of them touched */
    this.touched = this.whole;
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

  begin() {
    this.#stroke = { before: this.mask.slice() };
  }

  /**
   * Draws a round brush from one point to another.
   * @param {{ x: number, y: number }} from @param {{ x: number, y: number }} to @param {number} radius @param {boolean} erase
   * @returns {Box} what it may have touched
   */
  draw(from, to, radius, erase) {
    const box = this.#clip({
      left: Math.floor(Math.min(from.x, to.x) - radius),
      top: Math.floor(Math.min(from.y, to.y) - radius),
      right: Math.ceil(Math.max(from.x, to.x) + radius) + 1,
      bottom: Math.ceil(Math.max(from.y, to.y) + radius) + 1,
    });
    for (let y = box.top; y < box.bottom; y++) {
      for (let x = box.left; x < box.right; x++) {
        if (toLine(x + 0.5, y + 0.5, from, to) <= radius * radius) this.mask[y * this.width + x] = erase ? 0 : 255;
      }
    }
    if (this.#stroke) this.#stroke.box = this.#stroke.box ? around(this.#stroke.box, box) : box;
    return box;
  }

  /** Ends the stroke and makes it one step to undo. */
  end() {
    const stroke = this.#stroke;
    this.#stroke = undefined;
    if (stroke?.box) this.#keep({ box: stroke.box, before: this.#cut(stroke.before, stroke.box) });
  }

  /** Another mask in place of this one; can be undone like a stroke. @param {Uint8Array} mask */
  replace(mask) {
    const before = this.mask.slice();
    this.mask.set(mask);
    this.#keep({ box: this.whole, before });
  }

  clear() {
    this.replace(new Uint8Array(this.mask.length));
  }

  undo() {
    this.#swap(this.#done, this.#undone);
  }

  redo() {
    this.#swap(this.#undone, this.#done);
  }

  /** @param {Patch} patch */
  #keep(patch) {
    this.#done.push(patch);
    let bytes = this.#done.reduce((sum, { before }) => sum + before.length, 0);
    while (bytes > KEPT_BYTES && this.#done.length > 1) bytes -= this.#done.shift()?.before.length ?? 0;
    this.#undone = [];
    this.#changed(patch.box);
  }

  /** @param {Patch[]} from @param {Patch[]} to */
  #swap(from, to) {
    const patch = from.pop();
    if (!patch) return;
    to.push({ box: patch.box, before: this.#cut(this.mask, patch.box) });
    this.#paste(patch);
    this.#changed(patch.box);
  }

  /** @param {Box} box */
  #changed(box) {
    this.share = share(this.mask);
    this.touched = box;
    this.version++;
  }

  /** @param {Uint8Array} mask @param {Box} box */
  #cut(mask, { left, top, right, bottom }) {
    const piece = new Uint8Array((right - left) * (bottom - top));
    for (let y = top; y < bottom; y++) {
      piece.set(mask.subarray(y * this.width + left, y * this.width + right), (y - top) * (right - left));
    }
    return piece;
  }

  /** @param {Patch} patch */
  #paste({ box: { left, top, right, bottom }, before }) {
    const wide = right - left;
    for (let y = top; y < bottom; y++) {
      this.mask.set(before.subarray((y - top) * wide, (y - top + 1) * wide), y * this.width + left);
    }
  }

  /** @param {Box} box @returns {Box} */
  #clip({ left, top, right, bottom }) {
    const x = (/** @type {number} */ value) => Math.min(Math.max(value, 0), this.width);
    const y = (/** @type {number} */ value) => Math.min(Math.max(value, 0), this.height);
    return { left: x(left), top: y(top), right: x(right), bottom: y(bottom) };
  }
}
