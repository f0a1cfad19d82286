// The labels of a picture and how they are painted: a byte a pixel at the picture's own resolution. 0 is the background,
// 1 to 250 the number of a class, 255 not sure. What goes over much of a large picture is done in slices: it is over when
// the promise says so, one such thing after the other, and meanwhile no stroke begins. No page in here.
import { setPolygon, setRegion, setStroke } from "./shapes.js";
import { STEP, atOnce, inSlices } from "./slices.js";
import { Tiles } from "./tiles.js";

/** @typedef {import("./shapes.js").Box} Box */
/** @typedef {import("./shapes.js").Point} Point */
/** @template T @typedef {import("./slices.js").Work<T>} Work */
/** @typedef {{ tiles: Tiles, pixels: Float64Array }} Step  what was there before it (or after it, once undone), and how many more pixels of each value it made */

export const BACKGROUND = 0;
export const LAST_CLASS = 250;
export const UNSURE = 255;

/** A history of whole photographs would fill the memory. */
const KEPT_BYTES = 64e6;

/** How many pixels have each value. @param {Uint8Array} labels @returns {Work<Float64Array>} */
export function* tally(labels) {
  const pixels = new Float64Array(256);
  for (const part of parts(labels)) {
    for (let at = 0; at < part.length; at++) add(pixels, part[at] ?? 0, 1);
    yield;
  }
  return pixels;
}

/** One number becomes another. @param {Uint8Array} labels @param {number} from @param {number} to @returns {Work<void>} */
export function* renumber(labels, from, to) {
  for (const part of parts(labels)) {
    for (let at = 0; at < part.length; at++) if (part[at] === from) part[at] = to;
    yield;
  }
}

/** What a step of long work goes through at a time. @param {Uint8Array} labels */
function* parts(labels) {
  for (let from = 0; from < labels.length; from += STEP) yield labels.subarray(from, from + STEP);
}

/** @param {Float64Array} pixels @param {number} value @param {number} more */
const add = (pixels, value, more) => (pixels[value] = (pixels[value] ?? 0) + more);

let paintings = 0;

export class Painting {
  /** @type {Step[]} */
  #done = [];
  /** @type {Step[]} */
  #undone = [];
  /** what the open stroke has touched, as it was before @type {Tiles | undefined} */
  #stroke;
  /** what is going on @type {Promise<unknown> | undefined} */
  #going;
  /** how many pixels have each value @type {Float64Array} */
  #pixels = new Float64Array(256);
  /** the shares that they come to, once somebody has asked @type {Map<number, number> | undefined} */
  #shares;

  /** @param {number} width @param {number} height @param {Uint8Array} [labels]  taken over, not copied @param {Float64Array} [pixels]  their `tally` */
  constructor(width, height, labels, pixels) {
    this.width = width;
    this.height = height;
    this.labels = labels ?? new Uint8Array(width * height);
    /** tells it from every other */
    this.number = ++paintings;
    /** counts the finished changes, so that whoever shows it knows when to draw it again */
    this.version = 0;
    if (labels) this.#pixels = pixels ?? atOnce(tally(labels));
    else add(this.#pixels, BACKGROUND, width * height);
  }

  /** The same, counted in slices. @param {number} width @param {number} height @param {Uint8Array} labels  taken over, not copied */
  static async of(width, height, labels) {
    return new Painting(width, height, labels, await inSlices(tally(labels)));
  }

  get canUndo() {
    return this.#done.length > 0;
  }

  get canRedo() {
    return this.#undone.length > 0;
  }

  get busy() {
    return this.#going !== undefined;
  }

  /** Hands have changed it, or are about to. */
  get edited() {
    return this.canUndo || this.busy;
  }

  /** The share of the picture that each value has which is there at all, as of the last finished change. */
  counts() {
    if (this.#shares) return this.#shares;
    /** @type {Map<number, number>} */
    const shares = new Map();
    this.#pixels.forEach((pixels, value) => pixels > 0 && shares.set(value, pixels / this.labels.length));
    return (this.#shares = shares);
  }

  /** The share of the picture that any class has. */
  get share() {
    const others = (this.#pixels[BACKGROUND] ?? 0) + (this.#pixels[UNSURE] ?? 0);
    return (this.labels.length - others) / this.labels.length;
  }

  /** Resolves when nothing is going on. */
  async rest() {
    while (this.#going) await this.#going;
  }

  /** From here to `end` is one step to undo, unless something else is going on: then nothing is drawn. */
  begin() {
    if (!this.busy) this.#open();
  }

  /** Draws a round brush from one point to another. @param {Point} from @param {Point} to @param {number} radius @param {number} value */
  draw(from, to, radius, value) {
    return this.#stroke && !this.busy ? setStroke(this, from, to, radius, value) : undefined;
  }

  /** Called with each stretch of a row before it changes. @param {number} y @param {number} from @param {number} to */
  touch(y, from, to) {
    this.#stroke?.keepRow(y, from, to);
  }

  /** Whether anything is different now: where nothing is, there is nothing to undo. */
  end() {
    return this.#work(this.#close());
  }

  /** It was no stroke: all is as before it. */
  cancel() {
    if (this.busy) return;
    const tiles = this.#stroke;
    this.#stroke = undefined;
    if (!tiles) return;
    for (const place of tiles.places) tiles.swap(place);
    this.#changed();
  }

  /** Fills a closed outline. @param {Point[]} corners @param {number} value */
  polygon(corners, value) {
    return this.#work(this.#step(setPolygon(this, corners, value)));
  }

  /** Fills a region: see `setRegion`. @param {Point} point @param {number} value */
  fill(point, value) {
    return this.#work(this.#step(setRegion(this, point, value)));
  }

  /** Other labels in place of these; can be undone like a stroke. @param {Uint8Array} labels */
  replace(labels) {
    return this.#work(this.#step(this.#set(labels)));
  }

  clear() {
    return this.replace(new Uint8Array(this.labels.length));
  }

  /**
   * Labels of another numbering come in, with a number for each of theirs from 1, 0 for nothing. What is there stays, but
   * for the classes that come anew.
   * @param {Uint8Array} labels @param {number[]} numbers
   */
  merge(labels, numbers) {
    return this.#work(this.#step(this.#merge(labels, numbers)));
  }

  /** What a class that is no more had becomes background, in the history too: undoing does not bring the class back. @param {number} number */
  removeClass(number) {
    return this.renumber(number, BACKGROUND);
  }

  /** One number becomes another, now and in the history. @param {number} from @param {number} to */
  renumber(from, to) {
    return this.#work(this.#renumber(from, to));
  }

  /** Whether there was anything to undo. */
  undo() {
    return this.#work(this.#move(this.#done, this.#undone, -1));
  }

  /** Whether there was anything to redo. */
  redo() {
    return this.#work(this.#move(this.#undone, this.#done, 1));
  }

  /** One after the other. @template T @param {Work<T>} work @returns {Promise<T>} */
  async #work(work) {
    while (this.#going) await this.#going;
    const going = inSlices(work);
    this.#going = going.catch(() => undefined);
    try {
      return await going;
    } finally {
      this.#going = undefined;
    }
  }

  /** Something that is one step to undo. @param {Work<void>} change @returns {Work<boolean>} */
  *#step(change) {
    yield* this.#close();
    this.#open();
    yield* change;
    return yield* this.#close();
  }

  #open() {
    this.#stroke ??= new Tiles(this);
  }

  /** @returns {Work<boolean>} */
  *#close() {
    const tiles = this.#stroke;
    this.#stroke = undefined;
    if (!tiles) return false;
    const pixels = new Float64Array(256);
    for (const place of tiles.places) {
      tiles.weigh(place, pixels);
      yield;
    }
    if (tiles.bytes === 0) return false;
    this.#keep({ tiles, pixels });
    this.#count(pixels, 1);
    this.#changed();
    return true;
  }

  /** @returns {Work<void>} */
  *#touchAll() {
    for (let y = 0; y < this.height; y++) {
      this.touch(y, 0, this.width);
      yield;
    }
  }

  /** @param {Uint8Array} labels @returns {Work<void>} */
  *#set(labels) {
    yield* this.#touchAll();
    this.labels.set(labels);
  }

  /** @param {Uint8Array} labels @param {number[]} numbers @returns {Work<void>} */
  *#merge(labels, numbers) {
    yield* this.#touchAll();
    const given = new Map([...numbers.map((number, at) => /** @type {const} */ ([at + 1, number])), [UNSURE, UNSURE]]);
    const anew = new Set(numbers);
    const stays = Uint8Array.from({ length: 256 }, (_, value) => (anew.has(value) ? BACKGROUND : value));
    const comes = Int16Array.from({ length: 256 }, (_, value) => given.get(value) ?? -1);
    let at = 0;
    for (const part of parts(this.labels)) {
      for (let here = 0; here < part.length; here++, at++) {
        const number = comes[labels[at] ?? 0] ?? -1;
        part[here] = number < 0 ? (stays[part[here] ?? 0] ?? 0) : number;
      }
      yield;
    }
  }

  /** @param {number} from @param {number} to @returns {Work<void>} */
  *#renumber(from, to) {
    yield* this.#close();
    const steps = [...this.#done, ...this.#undone];
    for (const labels of [this.labels, ...steps.flatMap(({ tiles }) => tiles.contents)]) yield* renumber(labels, from, to);
    for (const pixels of [this.#pixels, ...steps.map(({ pixels }) => pixels)]) {
      add(pixels, to, pixels[from] ?? 0);
      pixels[from] = 0;
    }
    this.#changed();
  }

  /** @param {Step[]} from @param {Step[]} to @param {1 | -1} way @returns {Work<boolean>} */
  *#move(from, to, way) {
    yield* this.#close();
    const step = from.at(-1);
    if (!step) return false;
    for (const place of step.tiles.places) {
      step.tiles.swap(place);
      yield;
    }
    from.pop();
    to.push(step);
    this.#count(step.pixels, way);
    this.#changed();
    return true;
  }

  /** @param {Step} step */
  #keep(step) {
    this.#done.push(step);
    let bytes = this.#done.reduce((sum, { tiles }) => sum + tiles.bytes, 0);
    while (bytes > KEPT_BYTES && this.#done.length > 1) bytes -= this.#done.shift()?.tiles.bytes ?? 0;
    this.#undone.length = 0;
  }

  /** @param {Float64Array} pixels @param {1 | -1} way */
  #count(pixels, way) {
    pixels.forEach((more, value) => add(this.#pixels, value, way * more));
  }

  #changed() {
    this.#shares = undefined;
    this.version++;
  }
}
