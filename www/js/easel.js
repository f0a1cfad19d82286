// The easel: a picture with its painting in front of the user, near or far, and the tools on it by mouse, finger, pen or
// keys. Knows neither where the picture comes from nor what is done with the labels.
import { PEN_ERASER, pointIn, watchHands } from "./hands.js";
import { Outline } from "./outline.js";
import { drawLabels, palette } from "./overlay.js";
import { BACKGROUND } from "./painting.js";
import { around } from "./shapes.js";
import { TOOLS, close } from "./tools.js";
import { fit, fitting, pan, reframe, reveal, toFrame, toPicture, zoom } from "./view.js";

/** @typedef {import("./shapes.js").Box} Box */
/** @typedef {import("./shapes.js").Point} Point */
/** @typedef {import("./tools.js").Gesture} Gesture */
/** @typedef {import("./tools.js").ToolName} ToolName */
/** @typedef {import("./view.js").View} View */

/** @typedef {{ id: string, name: string, url: string, width: number, height: number, painting: import("./painting.js").Painting }} Subject */

/**
 * @typedef {object} Marker
 * @property {ToolName} tool
 * @property {number} size  the brush's, in pixels of the screen
 * @property {number} number  of the class that is painted
 * @property {string} colour  of the class that is painted
 * @property {import("./overlay.js").Coloured[]} classes
 */

/**
 * @typedef {object} Hooks
 * @property {() => void} begun  a hand is on the picture
 * @property {(subject: Subject, changed: boolean) => void} ended  it has left, and something is painted or not
 * @property {(corners: number) => void} outlined  an open outline has so many corners
 * @property {(nearness: number) => void} looked  the picture is so many times as large as when it is whole
 * @property {(place: Point) => void} walked  the keys have moved the cursor there, in shares of the picture
 * @property {(place: Point) => void} pointed  this place is meant, in shares of the picture
 */

/** The frame takes the picture's shape, unless that is a ribbon. */
const [TALLEST, WIDEST] = [0.62, 2.4];
const MOST_DETAIL = 2;
/** Pixels of the canvas: to draw more takes too long on a slow machine. */
const MOST_DRAWN = 1.5e6;
/** In pixels of the screen: what a hand calls the same place, and how far the keys' cursor stays from the frame. */
const [NEAR, MARGIN] = [9, 24];
const NEARER = 1.25;

/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** A pen held as usual paints as wide as the brush's size says. @param {PointerEvent} event */
const pressed = ({ pointerType, pressure }) => (pointerType === "pen" && pressure > 0 ? 0.4 + 1.2 * pressure : 1);

/** @template {Element} E @param {HTMLElement} frame @param {string} name @returns {E} */
function part(frame, name) {
  const element = frame.querySelector(name);
  if (!element) throw new Error(`The easel has no ${name}.`);
  return /** @type {E} */ (element);
}

export class Easel {
  #frame;
  #hooks;
  /** @type {HTMLImageElement} */
  #picture;
  /** @type {HTMLCanvasElement} */
  #canvas;
  /** @type {HTMLElement} */
  #cursor;
  /** @type {HTMLElement} */
  #mark;
  #outline;
  /** @type {Subject | undefined} */
  #subject;
  /** @type {Marker} */
  #marker = { tool: "brush", size: 44, number: 1, colour: "#000000", classes: [] };
  /** what the colours were made from */
  #classes = "";
  #colours = palette([]);
  /** @type {View} */
  #view = { scale: 1, x: 0, y: 0 };
  #size = { width: 0, height: 0 };
  /** the version of the painting that the canvas shows */
  #drawn = -1;
  /** what is to be drawn with the next frame; "all" also where the picture is not @type {Box | "all" | undefined} */
  #stale;
  /** @type {Gesture | undefined} */
  #gesture;
  /** where the cursor is, in the picture @type {Point} */
  #at = { x: 0, y: 0 };
  /** the place that was last pointed at, in the picture @type {Point | undefined} */
  #pointed;
  /** whether the space bar is held, and whether it was more than a tap @type {{ carried: boolean } | undefined} */
  #space;

  /** @param {HTMLElement} frame @param {Hooks} hooks */
  constructor(frame, hooks) {
    this.#frame = frame;
    this.#hooks = hooks;
    this.#picture = part(frame, "img");
    this.#canvas = part(frame, "canvas");
    this.#cursor = part(frame, "#brush-cursor");
    this.#mark = part(frame, "#why-mark");
    this.#outline = new Outline(part(frame, "#easel-outline"), () => this.#outlined());
    this.#listen();
  }

  /** @param {Subject | undefined} subject @param {Marker} marker */
  show(subject, marker) {
    // The picture under a stroke stays until the stroke ends, whatever is brought meanwhile; and so does the tool.
    if (this.#gesture) return;
    if (subject?.id !== this.#subject?.id) this.#forget();
    this.equip(marker);
    this.#dress(marker.classes);
    this.#frame.hidden = !subject;
    if (subject && subject.id !== this.#subject?.id) this.#place(subject);
    if (subject?.painting !== this.#subject?.painting) this.#drawn = -1;
    this.#subject = subject;
    if (!subject) return;
    if (this.#drawn !== subject.painting.version) this.#redraw("all");
    this.#canvas.setAttribute("aria-label", `${marker.tool === "point" ? "Ask about" : "Paint on"} ${subject.name}: ${TOOLS[marker.tool].help}`);
    this.#frame.dataset["tool"] = marker.tool;
    this.#frame.style.setProperty("--class", marker.colour);
    this.#moveCursor();
  }

  /** What is in hand from now on. Keys come faster than the page is shown anew, so a stroke asks for it too. @param {Marker} marker */
  equip(marker) {
    if (marker.tool !== this.#marker.tool) this.#forget();
    this.#marker = marker;
  }

  /** The classes may be the same objects with other colours in them. @param {import("./overlay.js").Coloured[]} classes */
  #dress(classes) {
    const words = JSON.stringify(classes);
    if (words === this.#classes) return;
    this.#classes = words;
    this.#colours = palette(classes);
    this.#drawn = -1;
  }

  /** Nearer by one step, or farther, around the cursor where there is one. @param {1 | -1} way */
  step(way) {
    const { width, height } = this.#size;
    this.#zoom(NEARER ** (2 * way), this.#cursor.hidden ? { x: width / 2, y: height / 2 } : toFrame(this.#view, this.#at));
  }

  showWhole() {
    if (this.#subject) this.#look(fit(this.#subject, this.#size));
  }

  closeOutline() {
    this.#act((board) => close(board));
  }

  removeCorner() {
    if (!this.#gesture) this.#outline.removeLast();
  }

  dropOutline() {
    if (this.#outline.isOpen) this.#outline.drop();
  }

  /** What belongs to one tool on one picture. */
  #forget() {
    this.dropOutline();
    this.#pointed = undefined;
    this.#moveMark();
  }

  /** of an open outline */
  get corners() {
    return this.#outline.corners.length;
  }

  get isBusy() {
    return this.#gesture !== undefined;
  }

  #listen() {
    const canvas = this.#canvas;
    watchHands(canvas, {
      down: (point, event) => this.#begin(point, event),
      move: (point, event) => this.#move(point, event),
      up: () => this.#end(),
      cancel: () => this.#cancel(),
      hover: (point) => this.#hover(point),
      carry: (right, down, factor, held) => this.#carry(right, down, factor, held),
      carries: () => this.#space !== undefined,
    });
    canvas.addEventListener("pointerleave", () => this.#leave());
    canvas.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("focus", () => canvas.matches(":focus-visible") && this.#showCursor());
    canvas.addEventListener("blur", () => (this.#cursor.hidden = true));
    document.addEventListener("keydown", (event) => this.#holdSpace(event));
    document.addEventListener("keyup", (event) => this.#releaseSpace(event));
    window.addEventListener("blur", () => this.#freeSpace());
    new ResizeObserver(() => this.#resize()).observe(this.#frame);
  }

  // Where the picture lies.

  /** @param {Subject} subject */
  #place(subject) {
    const { width, height, url, name } = subject;
    this.#picture.src = url;
    this.#picture.alt = name;
    this.#picture.width = width;
    this.#picture.height = height;
    this.#frame.style.setProperty("--ratio", String(Math.min(Math.max(width / height, TALLEST), WIDEST)));
    this.#at = { x: width / 2, y: height / 2 };
    this.#cursor.hidden = true;
    this.#subject = subject;
    this.#drawn = -1;
    this.#measure();
    this.#look(fit(subject, this.#size));
  }

  #measure() {
    const { clientWidth: width, clientHeight: height } = this.#frame;
    const detail = Math.min(devicePixelRatio, MOST_DETAIL, Math.sqrt(MOST_DRAWN / Math.max(width * height, 1)));
    this.#size = { width: Math.max(width, 1), height: Math.max(height, 1) };
    this.#canvas.width = Math.round(width * detail);
    this.#canvas.height = Math.round(height * detail);
  }

  #resize() {
    const before = this.#size;
    const { clientWidth: width, clientHeight: height } = this.#frame;
    if (!this.#subject || width === 0 || (width === before.width && height === before.height)) return;
    this.#measure();
    this.#look(reframe(this.#view, before, this.#subject, this.#size));
  }

  /** @param {View} view */
  #look(view) {
    if (!this.#subject) return;
    this.#view = view;
    this.#picture.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
    this.#picture.classList.toggle("close", view.scale * devicePixelRatio > 3);
    this.#outline.draw(view);
    this.#moveCursor();
    this.#moveMark();
    this.#redraw("all");
    this.#hooks.looked(view.scale / fitting(this.#subject, this.#size));
  }

  /** @param {number} factor @param {Point} held */
  #zoom(factor, held) {
    if (this.#subject) this.#look(zoom(this.#view, factor, held, this.#subject, this.#size));
  }

  /** @param {number} right @param {number} down @param {number} factor @param {Point} held */
  #carry(right, down, factor, held) {
    if (!this.#subject) return;
    if (this.#space) this.#space.carried = true;
    this.#look(pan(zoom(this.#view, factor, held, this.#subject, this.#size), right, down, this.#subject, this.#size));
  }

  /** A wheel that cannot make the picture smaller scrolls the page. @param {WheelEvent} event */
  #wheel(event) {
    if (!this.#subject) return;
    const whole = this.#view.scale <= fitting(this.#subject, this.#size) * 1.001;
    if (whole && event.deltaY > 0 && !event.ctrlKey) return;
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 33 : 1;
    // What a trackpad makes of two fingers comes in smaller portions.
    const speed = event.ctrlKey ? 0.01 : 0.002;
    this.#zoom(Math.exp(-Math.min(Math.max(event.deltaY * lines, -200), 200) * speed), pointIn(this.#canvas, event));
  }

  // What is drawn.

  /** @param {Box | "all"} box */
  #redraw(box) {
    if (!this.#stale) requestAnimationFrame(() => this.#draw());
    this.#stale = box === "all" || this.#stale === "all" ? "all" : around(this.#stale ?? box, box);
  }

  #draw() {
    const stale = this.#stale;
    this.#stale = undefined;
    if (!this.#subject || !stale) return;
    const { painting } = this.#subject;
    const canvas = this.#canvas;
    const detail = canvas.width / this.#size.width;
    const view = { scale: this.#view.scale * detail, x: this.#view.x * detail, y: this.#view.y * detail };
    if (stale === "all") canvas.getContext("2d")?.clearRect(0, 0, canvas.width, canvas.height);
    drawLabels(canvas, painting, this.#colours, view, stale === "all" ? undefined : stale);
    if (stale === "all") this.#drawn = painting.version;
  }

  #outlined() {
    this.#outline.draw(this.#view);
    this.#hooks.outlined(this.#outline.corners.length);
  }

  /** The keys have no other point than this one. @param {boolean} [keyed] */
  #showCursor(keyed = true) {
    this.#cursor.hidden = false;
    this.#frame.classList.toggle("keyed", keyed);
    this.#moveCursor();
  }

  #moveCursor() {
    const { tool, size } = this.#marker;
    const wide = TOOLS[tool].round ? size : 2 * NEAR;
    const { x, y } = toFrame(this.#view, this.#at);
    this.#cursor.style.width = this.#cursor.style.height = `${wide}px`;
    this.#cursor.style.translate = `${x - wide / 2}px ${y - wide / 2}px`;
  }

  #moveMark() {
    this.#mark.hidden = !this.#pointed;
    if (!this.#pointed) return;
    const { x, y } = toFrame(this.#view, this.#pointed);
    this.#mark.style.left = `${x}px`;
    this.#mark.style.top = `${y}px`;
  }

  /** A place beside the picture is none. @param {Subject} subject @param {Point} at */
  #point({ width, height }, at) {
    if (at.x < 0 || at.y < 0 || at.x > width || at.y > height) return;
    this.#pointed = at;
    this.#moveMark();
    this.#hooks.pointed({ x: at.x / width, y: at.y / height });
  }

  // Hands.

  /** @param {Subject} subject @param {boolean} [erases]  whatever the tool @returns {import("./tools.js").Board} */
  #board(subject, erases = false) {
    const { tool, number } = this.#marker;
    return {
      painting: subject.painting,
      outline: this.#outline,
      value: erases ? BACKGROUND : (TOOLS[tool].value ?? number),
      near: NEAR / this.#view.scale,
      painted: (where) => where && this.#redraw(where),
      pointed: (at) => this.#point(subject, at),
    };
  }

  /** In pixels of the picture. @param {number} [pressure] */
  #radius(pressure = 1) {
    return ((this.#marker.size / 2) * pressure) / this.#view.scale;
  }

  /** @param {Point} point @param {PointerEvent} event */
  #begin(point, event) {
    if (!this.#subject) return;
    this.#hover(point);
    this.#hooks.begun();
    const board = this.#board(this.#subject, event.altKey || event.button === PEN_ERASER);
    this.#gesture = TOOLS[this.#marker.tool].gesture(board, toPicture(this.#view, point), this.#radius(pressed(event)));
  }

  /** @param {Point} point @param {PointerEvent} event */
  #move(point, event) {
    this.#hover(point);
    this.#gesture?.move(toPicture(this.#view, point), this.#radius(pressed(event)));
  }

  #end() {
    const gesture = this.#gesture;
    this.#gesture = undefined;
    if (gesture && this.#subject) void this.#finish(this.#subject, gesture.end());
  }

  #cancel() {
    const gesture = this.#gesture;
    this.#gesture = undefined;
    if (!gesture || !this.#subject) return;
    gesture.cancel();
    this.#redraw("all");
    this.#hooks.ended(this.#subject, false);
  }

  #drop() {
    this.#cancel();
    this.dropOutline();
  }

  /** On a large picture it takes a while, and the user may go on to another. @param {Subject} subject @param {Promise<boolean>} painting  whether something is painted */
  async #finish(subject, painting) {
    let changed = false;
    try {
      changed = await painting;
      // The strokes have been drawn as they came; nothing else has changed.
      const here = subject.painting === this.#subject?.painting;
      if (changed && here && this.#drawn === subject.painting.version - 1) this.#drawn++;
    } finally {
      this.#hooks.ended(subject, changed);
    }
  }

  /** Something done in one go. @param {(board: import("./tools.js").Board) => Promise<boolean>} action */
  #act(action) {
    if (!this.#subject || this.#gesture) return;
    this.#hooks.begun();
    void this.#finish(this.#subject, action(this.#board(this.#subject)));
  }

  /** @param {Point} point */
  #hover(point) {
    this.#at = toPicture(this.#view, point);
    if (!this.#gesture && this.#marker.tool === "polygon") this.#outline.lead(this.#at);
    this.#showCursor(false);
  }

  #leave() {
    this.#cursor.hidden = !this.#gesture && !this.#canvas.matches(":focus-visible");
    if (!this.#gesture) this.#outline.lead(undefined);
  }

  // Keys.

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (!this.#subject || event.ctrlKey || event.metaKey) return;
    const way = ARROWS[event.key];
    if (way) this.#walk(way, event);
    else if (event.key === "Enter") this.#outline.isOpen ? this.closeOutline() : this.#dot();
    else if (event.key === "Backspace" && this.#outline.isOpen) this.removeCorner();
    else if (event.key === "Escape" && (this.#gesture || this.#outline.isOpen)) this.#drop();
    else return;
    event.preventDefault();
  }

  /** @param {[number, number]} way @param {KeyboardEvent} event */
  #walk([right, down], event) {
    if (!this.#subject) return;
    const { width, height } = this.#subject;
    const [from, step] = [this.#at, this.#radius() / 2];
    const to = { x: Math.min(Math.max(from.x + right * step, 0), width), y: Math.min(Math.max(from.y + down * step, 0), height) };
    if (event.shiftKey) this.#stroke(from, to);
    this.#at = to;
    this.#look(reveal(this.#view, to, MARGIN, this.#subject, this.#size));
    if (this.#outline.isOpen) this.#outline.lead(to);
    this.#showCursor();
    this.#hooks.walked({ x: to.x / width, y: to.y / height });
  }

  #dot() {
    this.#stroke(this.#at, this.#at);
    this.#showCursor();
  }

  /** @param {Point} from @param {Point} to */
  #stroke(from, to) {
    this.#act((board) => {
      const gesture = TOOLS[this.#marker.tool].keyed(board, from, this.#radius());
      gesture.move(to, this.#radius());
      return gesture.end();
    });
  }

  /** A tap on the space bar is a dot; held, it turns the hand into one that moves the picture. @param {KeyboardEvent} event */
  #holdSpace(event) {
    const here = event.target === this.#canvas || (event.target === document.body && this.#canvas.matches(":hover"));
    if (event.key !== " " || !here) return;
    event.preventDefault();
    if (!this.#space) this.#space = { carried: event.target !== this.#canvas };
    else this.#space.carried = true;
    this.#frame.classList.add("carried");
  }

  /** @param {KeyboardEvent} event */
  #releaseSpace(event) {
    if (event.key !== " " || !this.#space) return;
    const { carried } = this.#space;
    this.#freeSpace();
    if (!carried) this.#dot();
  }

  #freeSpace() {
    this.#space = undefined;
    this.#frame.classList.remove("carried");
  }
}
