// Small pictures of large ones, made one at a time; the last asked for comes first, because that is where the user is now.
import { startThread } from "./thread.js";

/** The longer side of a small picture in pixels: what a tile shows, on a screen of two pixels to one. */
const SIDE = 480;

/** @typedef {{ key: string, file: Blob, width: number, height: number, take: (thumb: Blob | undefined) => void }} Wish */

/** @param {number} width @param {number} height */
export function smallSize(width, height) {
  const scale = Math.min(SIDE / Math.max(width, height), 1);
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

export class Thumbs {
  /** @type {Worker | undefined} */
  #worker;
  /** @type {Map<string, Wish>} */
  #wishes = new Map();
  /** @type {Wish | undefined} */
  #making;

  /**
   * @param {string} key @param {{ file: Blob, width: number, height: number }} picture  upright size
   * @param {(thumb: Blob | undefined) => void} take  gets nothing where the file is no picture
   */
  ask(key, { file, width, height }, take) {
    if (this.#making?.key === key) return;
    this.#wishes.delete(key);
    this.#wishes.set(key, { key, file, take, ...smallSize(width, height) });
    this.#next();
  }

  /** No longer wanted, unless it is being made already. @param {string} key */
  drop(key) {
    this.#wishes.delete(key);
  }

  #next() {
    if (this.#making) return;
    const wish = [...this.#wishes.values()].at(-1);
    if (!wish) return;
    this.#wishes.delete(wish.key);
    this.#making = wish;
    const { file, width, height } = wish;
    this.#start().postMessage({ file, width, height });
  }

  #start() {
    if (this.#worker) return this.#worker;
    this.#worker = startThread("./thumbs.worker.js", "fewseg thumbnails");
    this.#worker.addEventListener("message", ({ data }) => this.#made(data.thumb));
    this.#worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.#worker = undefined;
      this.#made(undefined);
    });
    return this.#worker;
  }

  /** @param {Blob | undefined} thumb */
  #made(thumb) {
    const wish = this.#making;
    this.#making = undefined;
    wish?.take(thumb);
    this.#next();
  }
}
