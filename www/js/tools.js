// What each tool does between the moment a hand comes down and the moment it leaves.
import { BACKGROUND, UNSURE } from "./painting.js";

/** @typedef {import("./shapes.js").Box} Box */
/** @typedef {import("./shapes.js").Point} Point */
/** @typedef {import("./painting.js").Painting} Painting */
/** @typedef {"brush" | "eraser" | "polygon" | "lasso" | "fill" | "unsure" | "point"} ToolName */

/**
 * What a tool works on. Lengths are in pixels of the picture.
 * @typedef {object} Board
 * @property {Painting} painting
 * @property {import("./outline.js").Outline} outline
 * @property {number} value  what is painted
 * @property {number} near  within this distance a place is the same
 * @property {(where: Box | "all" | undefined) => void} painted  what has to be drawn again
 * @property {(at: Point) => void} pointed  this is the place that is meant
 */

/**
 * `radius` is that of the brush just there: a pen's changes with its pressure. `end` says whether something was painted,
 * once that is done.
 * @typedef {{ move: (to: Point, radius: number) => void, end: () => Promise<boolean>, cancel: () => void }} Gesture
 */
/** @typedef {(board: Board, from: Point, radius: number) => Gesture} Tool */

/** A brush of no width would miss every pixel's centre. */
const THINNEST = 0.75;

/** @type {Tool} */
function brush({ painting, value, painted }, from, radius) {
  let last = from;
  const move = (/** @type {Point} */ to, /** @type {number} */ wide) => {
    painted(painting.draw(last, to, Math.max(wide, THINNEST), value));
    last = to;
  };
  painting.begin();
  move(from, radius);
  return { move, end: () => painting.end(), cancel: () => painting.cancel() };
}

/** Fills what the outline goes round, and puts the outline away. @param {Board} board */
export async function close({ painting, outline, value, painted }) {
  const { corners } = outline;
  outline.drop();
  if (corners.length < 3) return false;
  const changed = await painting.polygon(corners, value);
  painted("all");
  return changed;
}

/** @param {Point} a @param {Point | undefined} b */
const distance = (a, b) => (b ? Math.hypot(a.x - b.x, a.y - b.y) : Infinity);

/** @type {Tool} */
function lasso(board, from) {
  const { outline, near } = board;
  outline.drop();
  outline.add(from);
  const move = (/** @type {Point} */ to) => {
    if (distance(to, outline.corners.at(-1)) > near / 4) outline.add(to);
  };
  return { move, end: () => close(board), cancel: () => outline.drop() };
}

/** A corner at a time. The first one again closes it, and so does the last one: that is what a double click comes to. @type {Tool} */
function polygon(board, from) {
  const { outline, near } = board;
  let at = from;
  const move = (/** @type {Point} */ to) => {
    at = to;
    outline.lead(to);
  };
  const end = async () => {
    const [first, last] = [outline.corners[0], outline.corners.at(-1)];
    if (distance(at, first) > near && distance(at, last) > near) outline.add(at);
    else if (outline.corners.length > 2) return close(board);
    return false;
  };
  outline.lead(from);
  return { move, end, cancel: () => outline.lead(undefined) };
}

/** @type {Tool} */
function fill({ painting, value, painted }, from) {
  let at = from;
  const end = async () => {
    const changed = await painting.fill(at, value);
    painted("all");
    return changed;
  };
  return { move: (to) => void (at = to), end, cancel: () => undefined };
}

/** Paints nothing: the place where the hand leaves is the one that is meant. @type {Tool} */
function point({ pointed }, from) {
  let at = from;
  const end = async () => {
    pointed(at);
    return false;
  };
  return { move: (to) => void (at = to), end, cancel: () => undefined };
}

/**
 * `value`: what it paints in place of the class. `keyed`: what it does where the keys have brought it.
 * @type {Record<ToolName, { gesture: Tool, keyed: Tool, round: boolean, value?: number, help: string }>}
 */
export const TOOLS = {
  brush: { gesture: brush, keyed: brush, round: true, help: "the arrow keys move the brush, with Shift they paint, the space bar paints a dot" },
  eraser: { gesture: brush, keyed: brush, round: true, value: BACKGROUND, help: "the arrow keys move the eraser, with Shift they erase, the space bar erases a dot" },
  polygon: { gesture: polygon, keyed: polygon, round: false, help: "the arrow keys move, the space bar sets a corner, Enter closes, Backspace removes the last corner, Escape drops the outline" },
  lasso: { gesture: lasso, keyed: polygon, round: false, help: "the arrow keys move, with Shift they draw the outline, Enter closes, Escape drops it" },
  fill: { gesture: fill, keyed: fill, round: false, help: "the arrow keys move, the space bar fills the region there" },
  unsure: { gesture: brush, keyed: brush, round: true, value: UNSURE, help: "the arrow keys move the brush, with Shift they mark as not sure, the space bar marks a dot" },
  point: { gesture: point, keyed: point, round: false, help: "the arrow keys move, Enter or the space bar asks about the place there, Escape ends asking" },
};
