// The things in the sample pictures: the duck that is looked for, and the company it keeps.
// A thing answers, in its own coordinates (standing on y = 0), how far a point is and which of its parts is nearest.
import { blend, box, cylinder, ellipsoid, ring, sphere } from "./shapes.mjs";

/** @typedef {import("./shapes.mjs").Vec} Vec */
/** @typedef {{ colour: Vec, gloss: number }} Paint  gloss: 0 chalk, 1 lacquer */
/** @typedef {"duck" | "mug" | "ball" | "block" | "book" | "bottle"} Kind */
/** @typedef {{ kind: Kind, distance: (p: Vec) => number, paint: (p: Vec) => Paint, radius: number }} Thing  radius: of a ball around the origin that holds it */

const YELLOW = /** @type {Vec} */ ([0.98, 0.66, 0.035]);
const ORANGE = /** @type {Vec} */ ([0.93, 0.2, 0.015]);
const BLACK = /** @type {Vec} */ ([0.012, 0.012, 0.015]);

/** @param {Vec} p */
function duckBody(p) {
  const side = /** @type {Vec} */ ([p[0], p[1], Math.abs(p[2])]);
  const hull = ellipsoid(p, [0, 0.6, 0], [1.02, 0.62, 0.74]);
  const tail = ellipsoid(p, [-0.93, 1.0, 0], [0.26, 0.22, 0.28]);
  const wing = ellipsoid(side, [-0.15, 0.78, 0.66], [0.52, 0.3, 0.16]);
  const head = sphere(p, [0.52, 1.55, 0], 0.52);
  return Math.max(blend(blend(blend(hull, tail, 0.5), wing, 0.1), head, 0.22), -p[1]);
}

/** @param {Vec} p */
function duckBeak(p) {
  const upper = ellipsoid(p, [1.08, 1.5, 0], [0.31, 0.09, 0.25]);
  const lower = ellipsoid(p, [1.03, 1.4, 0], [0.24, 0.07, 0.19]);
  return blend(upper, lower, 0.04);
}

/** @param {Vec} p */
const duckEye = (p) => sphere([p[0], p[1], Math.abs(p[2])], [0.9, 1.74, 0.25], 0.085);

/** @type {Thing} */
export const duck = {
  kind: "duck",
  radius: 2.2,
  distance: (p) => Math.min(duckBody(p), duckBeak(p), duckEye(p)),
  paint(p) {
    const body = duckBody(p);
    if (duckEye(p) < Math.min(body, duckBeak(p))) return { colour: BLACK, gloss: 1 };
    return duckBeak(p) < body ? { colour: ORANGE, gloss: 0.7 } : { colour: YELLOW, gloss: 0.75 };
  },
};

/** @param {Vec} colour @returns {Thing} */
export const mug = (colour) => ({
  kind: "mug",
  radius: 1.9,
  distance(p) {
    const wall = Math.max(cylinder(p, [0, 0.75, 0], 0.62, 0.75, 0.06), -cylinder(p, [0, 0.9, 0], 0.53, 0.8, 0.04));
    const handle = Math.max(ring(p, [0.64, 0.78, 0], 0.34, 0.09), 0.58 - Math.hypot(p[0], p[2]));
    return blend(wall, handle, 0.06);
  },
  paint: (p) => ({ colour: Math.abs(p[1] - 1.18) < 0.07 ? [0.85, 0.83, 0.78] : colour, gloss: 0.9 }),
});

/** @param {Vec} one @param {Vec} other @returns {Thing} */
export const ball = (one, other) => ({
  kind: "ball",
  radius: 1.5,
  distance: (p) => sphere(p, [0, 0.7, 0], 0.7),
  paint: (p) => ({ colour: Math.abs(p[1] - 0.7 + 0.35 * p[0]) < 0.17 ? other : one, gloss: 0.6 }),
});

/** @param {Vec} half @param {Vec} colour @returns {Thing} */
export const block = (half, colour) => ({
  kind: "block",
  radius: 2 * Math.hypot(...half),
  distance: (p) => box(p, [0, half[1], 0], half, 0.06),
  paint: () => ({ colour, gloss: 0.25 }),
});

/** @param {Vec} colour @returns {Thing} */
export const book = (colour) => ({
  kind: "book",
  radius: 1.8,
  distance(p) {
    const pages = box(p, [0.03, 0.16, 0], [1.0, 0.12, 0.7], 0.01);
    const covers = Math.max(box(p, [0, 0.16, 0], [1.06, 0.17, 0.75], 0.03), 0.125 - Math.abs(p[1] - 0.16));
    return Math.min(pages, covers, box(p, [-1.03, 0.16, 0], [0.05, 0.17, 0.75], 0.03));
  },
  paint: (p) => (Math.abs(p[1] - 0.16) < 0.123 && p[0] > -0.97 ? { colour: [0.8, 0.76, 0.66], gloss: 0 } : { colour, gloss: 0.3 }),
});

/** @param {Vec} colour @returns {Thing} */
export const bottle = (colour) => ({
  kind: "bottle",
  radius: 2.8,
  distance(p) {
    const belly = cylinder(p, [0, 0.85, 0], 0.5, 0.85, 0.2);
    return Math.min(blend(belly, cylinder(p, [0, 1.8, 0], 0.16, 0.3, 0.03), 0.25), cylinder(p, [0, 2.15, 0], 0.22, 0.16, 0.04));
  },
  paint(p) {
    if (p[1] > 1.98) return { colour: [0.75, 0.75, 0.74], gloss: 0.5 };
    return p[1] > 0.5 && p[1] < 1.2 ? { colour: [0.82, 0.82, 0.8], gloss: 0.3 } : { colour, gloss: 0.9 };
  },
});
