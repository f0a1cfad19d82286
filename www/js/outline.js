// An outline that is being drawn, corner by corner or in one go, until it is closed and filled.
import { toFrame } from "./view.js";

/** @typedef {import("./shapes.js").Point} Point */
/** @typedef {import("./view.js").View} View */

/** @param {Point[]} points */
const list = (points) => points.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");

export class Outline {
  /** in pixels of the picture @type {Point[]} */
  corners = [];
  /** where the next corner would be @type {Point | undefined} */
  #loose;
  #svg;
  #changed;

  /** @param {SVGSVGElement} svg  with lines and a circle for the first corner @param {() => void} changed */
  constructor(svg, changed) {
    this.#svg = svg;
    this.#changed = changed;
  }

  get isOpen() {
    return this.corners.length > 0;
  }

  /** @param {Point} corner */
  add(corner) {
    this.corners.push(corner);
    this.#loose = undefined;
    this.#changed();
  }

  /** @param {Point | undefined} point */
  lead(point) {
    if (!this.isOpen) return;
    this.#loose = point;
    this.#changed();
  }

  removeLast() {
    this.corners.pop();
    this.#loose = undefined;
    this.#changed();
  }

  drop() {
    this.corners = [];
    this.#loose = undefined;
    this.#changed();
  }

  /** @param {View} view */
  draw(view) {
    const points = [...this.corners, ...(this.#loose ? [this.#loose] : [])].map((point) => toFrame(view, point));
    for (const line of this.#svg.querySelectorAll("polyline")) line.setAttribute("points", list(points));
    const [first] = points;
    const circle = this.#svg.querySelector("circle");
    circle?.setAttribute("cx", String(first?.x ?? -100));
    circle?.setAttribute("cy", String(first?.y ?? -100));
  }
}
