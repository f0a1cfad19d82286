// Shapes set into labels, a byte a pixel. A pixel belongs to a shape when its centre does. Those that may go over all of a
// large picture are long work, to be done in slices. No page in here.
import { STEP } from "./slices.js";

/** @typedef {{ x: number, y: number }} Point  in pixels of the picture, from its top left corner */
/** @typedef {{ left: number, top: number, right: number, bottom: number }} Box  right and bottom excluded */
/** @typedef {{ labels: Uint8Array, width: number, height: number, touch?: (y: number, from: number, to: number) => void }} Grid  touch: hears of each stretch of a row before it changes */
/** @template T @typedef {import("./slices.js").Work<T>} Work */

/** @param {Box} a @param {Box} b @returns {Box} */
export const around = (a, b) => ({
  left: Math.min(a.left, b.left),
  top: Math.min(a.top, b.top),
  right: Math.max(a.right, b.right),
  bottom: Math.max(a.bottom, b.bottom),
});

/** The pixels within a distance of some points. @param {Grid} grid @param {Point[]} points @param {number} distance @returns {Box} */
function boxAround({ width, height }, points, distance) {
  const box = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  for (const { x, y } of points) {
    box.left = Math.min(box.left, x);
    box.top = Math.min(box.top, y);
    box.right = Math.max(box.right, x);
    box.bottom = Math.max(box.bottom, y);
  }
  const within = (/** @type {number} */ value, /** @type {number} */ most) => Math.min(Math.max(value, 0), most);
  return {
    left: within(Math.floor(box.left - distance), width),
    top: within(Math.floor(box.top - distance), height),
    right: within(Math.ceil(box.right + distance), width),
    bottom: within(Math.ceil(box.bottom + distance), height),
  };
}

/** @param {Grid} grid @param {number} y @param {number} from @param {number} to @param {number} value */
function setPixels(grid, y, from, to, value) {
  grid.touch?.(y, from, to);
  grid.labels.fill(value, y * grid.width + from, y * grid.width + to);
}

/** @param {Grid} grid @param {number} y @param {number} from @param {number} to @param {number} value */
function setRow(grid, y, from, to, value) {
  const left = Math.max(Math.ceil(from - 0.5), 0);
  const right = Math.min(Math.floor(to - 0.5) + 1, grid.width);
  if (left < right) setPixels(grid, y, left, right, value);
}

/** Where a line between two points crosses a row's middle, if it does. @param {Point} a @param {Point} b @param {number} middle */
function crossing(a, b, middle) {
  if ((a.y < middle) === (b.y < middle)) return undefined;
  return a.x + ((middle - a.y) / (b.y - a.y)) * (b.x - a.x);
}

/**
 * A round brush, drawn from one point to another. What it covers is convex, so each row has one stretch of it.
 * @param {Grid} grid @param {Point} from @param {Point} to @param {number} radius @param {number} value
 * @returns {Box} in which it may have changed something
 */
export function setStroke(grid, from, to, radius, value) {
  const box = boxAround(grid, [from, to], radius);
  const long = Math.hypot(to.x - from.x, to.y - from.y) || 1;
  const [aside, down] = [(-(to.y - from.y) / long) * radius, ((to.x - from.x) / long) * radius];
  const beside = (/** @type {Point} */ { x, y }, /** @type {number} */ way) => ({ x: x + way * aside, y: y + way * down });
  for (let y = box.top; y < box.bottom; y++) {
    let [left, right] = [Infinity, -Infinity];
    for (const end of [from, to]) {
      const half = Math.sqrt(radius ** 2 - (y + 0.5 - end.y) ** 2);
      if (Number.isNaN(half)) continue;
      left = Math.min(left, end.x - half);
      right = Math.max(right, end.x + half);
    }
    for (const way of [-1, 1]) {
      const side = crossing(beside(from, way), beside(to, way), y + 0.5);
      if (side === undefined) continue;
      left = Math.min(left, side);
      right = Math.max(right, side);
    }
    setRow(grid, y, left, right, value);
  }
  return box;
}

/**
 * What a closed outline goes round, by the non-zero rule: a loop that a hand closes over itself leaves no hole.
 * @param {Grid} grid @param {Point[]} corners @param {number} value @returns {Work<void>}
 */
export function* setPolygon(grid, corners, value) {
  const box = boxAround(grid, corners, 0);
  /** @type {{ x: number, turn: number }[][]} */
  const rows = Array.from({ length: box.bottom - box.top }, () => []);
  for (const [at, a] of corners.entries()) {
    const b = corners[(at + 1) % corners.length] ?? a;
    const first = Math.max(Math.floor(Math.min(a.y, b.y) - 0.5), box.top);
    const last = Math.min(Math.ceil(Math.max(a.y, b.y) + 0.5), box.bottom);
    for (let y = first; y < last; y++) {
      const x = crossing(a, b, y + 0.5);
      if (x !== undefined) rows[y - box.top]?.push({ x, turn: a.y < b.y ? 1 : -1 });
    }
    yield;
  }
  for (const [down, row] of rows.entries()) {
    let turns = 0;
    let from = 0;
    for (const { x, turn } of row.sort((a, b) => a.x - b.x)) {
      if (turns === 0) from = x;
      turns += turn;
      if (turns === 0) setRow(grid, box.top + down, from, x, value);
    }
    yield;
  }
}

/**
 * The connected region of one value around a pixel becomes another value, stretch by stretch.
 * @param {Grid} grid @param {number} start  the pixel's place in the labels @param {number} value  not the one that is there
 * @param {0 | 1} corners  1 where pixels that touch at a corner are connected
 * @returns {Work<Box>} around the region
 */
function* flood(grid, start, value, corners) {
  const { labels, width, height } = grid;
  const old = labels[start];
  let gone = 0;
  const box = { left: width, top: height, right: 0, bottom: 0 };
  const open = [start];
  for (let seed = open.pop(); seed !== undefined; seed = open.pop()) {
    if (labels[seed] !== old) continue;
    const y = Math.floor(seed / width);
    const row = y * width;
    let [left, right] = [seed, seed + 1];
    while (left > row && labels[left - 1] === old) left--;
    while (right < row + width && labels[right] === old) right++;
    setPixels(grid, y, left - row, right - row, value);
    box.left = Math.min(box.left, left - row);
    box.right = Math.max(box.right, right - row);
    box.top = Math.min(box.top, y);
    box.bottom = Math.max(box.bottom, y + 1);
    const from = Math.max(left - corners, row);
    const to = Math.min(right + corners, row + width);
    if (y > 0) pushSeeds(open, labels, old, from - width, to - width);
    if (y + 1 < height) pushSeeds(open, labels, old, from + width, to + width);
    gone += 1 + right - left;
    if (gone < STEP) continue;
    gone = 0;
    yield;
  }
  return box;
}

/** One seed for each stretch of a value. @param {number[]} open @param {Uint8Array} labels @param {number | undefined} value @param {number} from @param {number} to */
function pushSeeds(open, labels, value, from, to) {
  let inside = false;
  for (let at = from; at < to; at++) {
    const same = labels[at] === value;
    if (same && !inside) open.push(at);
    inside = same;
  }
}

/**
 * Clicked beside it, the connected region there takes the value; so does what a brushed outline goes round. Clicked on
 * the value itself, the background that its region encloses takes it.
 * @param {Grid} grid @param {Point} point @param {number} value @returns {Work<void>}
 */
export function* setRegion(grid, { x, y }, value) {
  const { labels, width, height } = grid;
  const [column, row] = [Math.floor(x), Math.floor(y)];
  if (column < 0 || row < 0 || column >= width || row >= height) return;
  const start = row * width + column;
  if (labels[start] === value) yield* setHoles(grid, start, value);
  else yield* flood(grid, start, value, 0);
}

/** A value that no label has. */
const MARK = 251;
const [BESIDE, REGION, OUTSIDE] = [0, 1, 2];

/** @param {Grid} grid @param {number} start @param {number} value @returns {Work<void>} */
function* setHoles(grid, start, value) {
  const { labels, width, height } = grid;
  const marked = labels.slice();
  const box = yield* flood({ labels: marked, width, height }, start, MARK, 1);
  // With a margin around it, all that is outside the region is connected.
  const wide = box.right - box.left + 2;
  const high = box.bottom - box.top + 2;
  const close = new Uint8Array(wide * high);
  for (let y = 1; y < high - 1; y++) {
    const from = (box.top + y - 1) * width + box.left - 1;
    for (let x = 1; x < wide - 1; x++) close[y * wide + x] = marked[from + x] === MARK ? REGION : BESIDE;
    yield;
  }
  yield* flood({ labels: close, width: wide, height: high }, 0, OUTSIDE, 0);
  for (let y = 1; y < high - 1; y++) {
    const from = (box.top + y - 1) * width + box.left - 1;
    const isHole = (/** @type {number} */ x) => close[y * wide + x] === BESIDE && labels[from + x] === 0;
    for (let x = 1; x < wide - 1; x++) {
      const first = x;
      while (x < wide - 1 && isHole(x)) x++;
      if (first < x) setPixels(grid, box.top + y - 1, box.left + first - 1, box.left + x - 1, value);
    }
    yield;
  }
}
