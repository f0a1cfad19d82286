// What was in parts of a label map at another time, in tiles: a stroke across a large picture remembers little more than
// what it touched. No page in here.

/** @typedef {import("./shapes.js").Grid} Grid */

/** Pixels along a tile's side. */
const SIDE = 256;

export class Tiles {
  #grid;
  #across;
  /** what was there, by the tile's place @type {Map<number, Uint8Array>} */
  #kept = new Map();

  /** @param {Grid} grid */
  constructor(grid) {
    this.#grid = grid;
    this.#across = Math.ceil(grid.width / SIDE);
  }

  get bytes() {
    return [...this.#kept.values()].reduce((sum, { length }) => sum + length, 0);
  }

  get places() {
    return [...this.#kept.keys()];
  }

  get contents() {
    return [...this.#kept.values()];
  }

  /** The places of all tiles of the picture. */
  get all() {
    return Array.from({ length: this.#across * Math.ceil(this.#grid.height / SIDE) }, (_, place) => place);
  }

  /** Remembers what a stretch of a row is about to lose. @param {number} y @param {number} from @param {number} to */
  keepRow(y, from, to) {
    const first = Math.floor(y / SIDE) * this.#across;
    for (let column = Math.floor(from / SIDE); column * SIDE < to; column++) this.keep(first + column);
  }

  /** @param {number} place */
  keep(place) {
    if (this.#kept.has(place)) return;
    const { labels } = this.#grid;
    const { start, wide, high } = this.#box(place);
    const tile = new Uint8Array(wide * high);
    for (let y = 0; y < high; y++) {
      const at = start + y * this.#grid.width;
      tile.set(labels.subarray(at, at + wide), y * wide);
    }
    this.#kept.set(place, tile);
  }

  /** Counts what is there now and what was there before; a tile that is as it was is forgotten. @param {number} place @param {Float64Array} pixels  by value */
  weigh(place, pixels) {
    const { labels, width } = this.#grid;
    const { start, wide, high } = this.#box(place);
    const tile = this.#kept.get(place) ?? new Uint8Array();
    let same = true;
    for (let y = 0, at = 0; y < high; y++) {
      for (let here = start + y * width, end = here + wide; here < end; here++, at++) {
        const [was, is] = [tile[at] ?? 0, labels[here] ?? 0];
        if (was === is) continue;
        same = false;
        pixels[was] = (pixels[was] ?? 0) - 1;
        pixels[is] = (pixels[is] ?? 0) + 1;
      }
    }
    if (same) this.#kept.delete(place);
  }

  /** What is there and what was there change places. @param {number} place */
  swap(place) {
    const { labels, width } = this.#grid;
    const { start, wide, high } = this.#box(place);
    const tile = this.#kept.get(place) ?? new Uint8Array();
    for (let y = 0; y < high; y++) {
      const here = labels.subarray(start + y * width, start + y * width + wide);
      const now = here.slice();
      here.set(tile.subarray(y * wide, (y + 1) * wide));
      tile.set(now, y * wide);
    }
  }

  /** @param {number} place */
  #box(place) {
    const { width, height } = this.#grid;
    const [left, top] = [(place % this.#across) * SIDE, Math.floor(place / this.#across) * SIDE];
    return { start: top * width + left, wide: Math.min(SIDE, width - left), high: Math.min(SIDE, height - top) };
  }
}
