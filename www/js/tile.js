// One picture in the grid. Its words are always there; the small picture and the overlay only while it is near the
// window, because five hundred of them would fill the memory.
import { make } from "./dom.js";

/** @typedef {import("./arrange.js").Item} Item */
/** @typedef {Uint32Array} Palette  by label, RGBA as little-endian words; 0 for what is not shown */

/** What has been looked through may be accepted. */
const DONE = new Set(["found", "nothing", "stale"]);
/** What is marked in these is still true while new labels are on their way. */
const MARKED = new Set(["found", "stale", "working"]);
/** The inside is a little clearer than the edge, which so tells a thing from one of its own colour. */
const INSIDE = 0xb0;

/** @param {HTMLCanvasElement} canvas @param {NonNullable<Item["labels"]>} map @param {Palette} colours */
function draw(canvas, { labels, width, height }, colours) {
  const image = new ImageData(width, height);
  const words = new Uint32Array(image.data.buffer);
  for (let at = 0; at < labels.length; at++) {
    const label = labels[at] ?? 0;
    const word = colours[label];
    if (!word) continue;
    const inside = labels[at - 1] === label && labels[at + 1] === label && labels[at - width] === label && labels[at + width] === label;
    words[at] = inside ? (word & 0xffffff) | (INSIDE << 24) : word;
  }
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d")?.putImageData(image, 0, 0);
}

/** Made once and copied: five hundred are made at a stroke. */
const pattern = make("div", { className: "tile", role: "row" });
pattern.append(
  make(
    "div",
    { className: "tile-open", role: "gridcell", tabIndex: -1 },
    make("div", { className: "tile-picture" }, make("img", { alt: "", decoding: "async", draggable: false, hidden: true }), make("canvas", { "aria-hidden": "true", width: 0 }), make("progress", { "aria-hidden": "true", hidden: true })),
    make("div", { className: "tile-name" }),
    make("div", { className: "tile-words" }),
  ),
  make(
    "div",
    { className: "tile-foot", role: "gridcell" },
    make("span", { className: "tile-sure" }),
    make("button", { type: "button", className: "quiet tile-accept", tabIndex: -1, "aria-pressed": "false" }, "Accept"),
  ),
);

export class Tile {
  element = /** @type {HTMLElement} */ (pattern.cloneNode(true));
  near = false;
  /** @type {Item | undefined} what it shows */
  item;
  /** @type {{ labels: Item["labels"], colours: Palette } | undefined} what the canvas shows */
  #drawn;
  /** @type {Blob | undefined} */
  #pictured;

  open = this.#part("div", ".tile-open");
  accept = this.#part("button", ".tile-accept");
  #image = this.#part("img", "img");
  #canvas = this.#part("canvas", "canvas");
  #bar = this.#part("progress", "progress");
  #name = this.#part("div", ".tile-name");
  #words = this.#part("div", ".tile-words");
  #sure = this.#part("span", ".tile-sure");

  /** @template {keyof HTMLElementTagNameMap} T @param {T} _tag @param {string} selector */
  #part(_tag, selector) {
    return /** @type {HTMLElementTagNameMap[T]} */ (this.element.querySelector(selector));
  }

  /** @param {Item} item @param {Blob | undefined} thumb @param {Palette} colours */
  show(item, thumb, colours) {
    if (!this.item || changed(this.item, item)) this.#write(item);
    this.item = item;
    if (!this.near) return;
    this.#picture(thumb);
    if (item.labels || !MARKED.has(item.status)) this.#overlay(item.labels, colours);
  }

  /** It has left the neighbourhood of the window, or the grid. */
  leave() {
    this.near = false;
    this.#picture(undefined);
    this.#overlay(undefined, undefined);
  }

  /** @param {Item} item */
  #write(item) {
    const { status, accepted, corrected, confidence, progress } = item;
    this.element.dataset["status"] = status;
    this.element.classList.toggle("accepted", accepted);
    this.element.setAttribute("aria-busy", String(status === "working"));
    this.#name.textContent = this.#name.title = item.name;
    this.#words.textContent = this.#words.title = item.words;
    const sure = confidence === undefined ? [] : [`${Math.round(100 * confidence)} % sure`];
    this.#sure.textContent = [...sure, ...(corrected ? ["corrected"] : [])].join(", ");
    this.accept.disabled = !DONE.has(status) && !corrected;
    this.accept.setAttribute("aria-pressed", String(accepted));
    this.accept.setAttribute("aria-label", `Accept ${item.name}`);
    this.#bar.hidden = status !== "working";
    if (progress === undefined) this.#bar.removeAttribute("value");
    else this.#bar.value = progress;
  }

  /** @param {Blob | undefined} thumb */
  #picture(thumb) {
    if (thumb === this.#pictured) return;
    if (this.#pictured) URL.revokeObjectURL(this.#image.src);
    this.#pictured = thumb;
    this.#image.hidden = !thumb;
    if (thumb) this.#image.src = URL.createObjectURL(thumb);
    else this.#image.removeAttribute("src");
  }

  /** @param {Item["labels"]} labels @param {Palette | undefined} colours */
  #overlay(labels, colours) {
    if (this.#drawn?.labels === labels && this.#drawn?.colours === colours) return;
    if (labels && colours) draw(this.#canvas, labels, colours);
    else this.#canvas.width = 0;
    this.#drawn = labels && colours && { labels, colours };
  }
}

/** What is written, that is all but pictures. @type {(keyof Item)[]} */
const WRITTEN = ["name", "status", "words", "confidence", "accepted", "corrected", "progress"];

/** @param {Item} before @param {Item} now */
const changed = (before, now) => WRITTEN.some((field) => before[field] !== now[field]);
