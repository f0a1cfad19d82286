// Signed distances: how far a point is from a surface, negative inside. Everything in the sample pictures is made of these.

/** @typedef {[number, number, number]} Vec */

/** @param {Vec} p @param {Vec} c @param {number} r */
export const sphere = (p, c, r) => Math.hypot(p[0] - c[0], p[1] - c[1], p[2] - c[2]) - r;

/** A bound, not the exact distance, which is enough to march by. @param {Vec} p @param {Vec} c @param {Vec} r */
export function ellipsoid(p, c, r) {
  const x = p[0] - c[0];
  const y = p[1] - c[1];
  const z = p[2] - c[2];
  const k0 = Math.hypot(x / r[0], y / r[1], z / r[2]);
  const k1 = Math.hypot(x / (r[0] * r[0]), y / (r[1] * r[1]), z / (r[2] * r[2]));
  return k1 < 1e-9 ? -Math.min(...r) : (k0 * (k0 - 1)) / k1;
}

/** @param {Vec} p @param {Vec} c @param {Vec} half @param {number} round */
export function box(p, c, half, round) {
  const x = Math.abs(p[0] - c[0]) - half[0] + round;
  const y = Math.abs(p[1] - c[1]) - half[1] + round;
  const z = Math.abs(p[2] - c[2]) - half[2] + round;
  const outside = Math.hypot(Math.max(x, 0), Math.max(y, 0), Math.max(z, 0));
  return outside + Math.min(Math.max(x, y, z), 0) - round;
}

/** Upright. @param {Vec} p @param {Vec} c @param {number} r @param {number} half @param {number} round */
export function cylinder(p, c, r, half, round) {
  const x = Math.hypot(p[0] - c[0], p[2] - c[2]) - r + round;
  const y = Math.abs(p[1] - c[1]) - half + round;
  return Math.hypot(Math.max(x, 0), Math.max(y, 0)) + Math.min(Math.max(x, y), 0) - round;
}

/** A ring that stands in the x-y plane. @param {Vec} p @param {Vec} c @param {number} big @param {number} small */
export const ring = (p, c, big, small) =>
  Math.hypot(Math.hypot(p[0] - c[0], p[1] - c[1]) - big, p[2] - c[2]) - small;

/** Joins two surfaces with a fillet of about k. @param {number} a @param {number} b @param {number} k */
export function blend(a, b, k) {
  const h = Math.max(k - Math.abs(a - b), 0) / k;
  return Math.min(a, b) - h * h * k * 0.25;
}
