// What each sample picture shows: where the duck stands, in what company, on what, in what light, seen from where.
import { ball, block, book, bottle, duck, mug } from "./things.mjs";

/** @typedef {import("./shapes.mjs").Vec} Vec */
/** @typedef {{ thing: import("./things.mjs").Thing, at: Vec, turn: number, scale: number }} Placed  turn: degrees about the upright */
/** @typedef {"wood" | "cloth" | "tiles" | "lawn"} Floor */
/**
 * @typedef {object} Scene
 * @property {string} name
 * @property {Placed[]} things  the duck first
 * @property {Floor} floor
 * @property {Vec} [wall]  colour of the wall behind; without one there is sky
 * @property {number} [wallAt]  its z
 * @property {Vec} sun  the direction to it
 * @property {Vec} light  its colour
 * @property {Vec} ambient
 * @property {Vec} eye
 * @property {Vec} target
 * @property {number} lens  focal length as a multiple of half the picture's height
 * @property {number} aperture
 */

/** @param {import("./things.mjs").Thing} thing @param {number} x @param {number} z @param {number} turn @param {number} [scale] @param {number} [y] @returns {Placed} */
const put = (thing, x, z, turn, scale = 1, y = 0) => ({ thing, at: [x, y, z], turn, scale });

const RED = /** @type {Vec} */ ([0.55, 0.035, 0.03]);
const BLUE = /** @type {Vec} */ ([0.03, 0.13, 0.42]);
const GREEN = /** @type {Vec} */ ([0.05, 0.3, 0.11]);
const TEAL = /** @type {Vec} */ ([0.02, 0.28, 0.3]);
const CREAM = /** @type {Vec} */ ([0.78, 0.74, 0.66]);
const PLUM = /** @type {Vec} */ ([0.22, 0.05, 0.2]);

/** @type {Scene[]} */
export const scenes = [
  {
    name: "duck",
    things: [put(duck, -0.1, 0, -32), put(mug(BLUE), 1.75, -1.7, -25), put(block([0.5, 0.5, 0.5], RED), -1.75, -1.5, 30), put(block([0.36, 0.36, 0.36], GREEN), -1.7, -1.45, 8, 1, 1)],
    floor: "wood",
    wall: [0.52, 0.5, 0.46],
    wallAt: -4.2,
    sun: [-0.55, 0.75, 0.5],
    light: [2.5, 2.3, 2.0],
    ambient: [0.5, 0.53, 0.6],
    eye: [0.7, 2.5, 6.4],
    target: [0.05, 0.95, 0],
    lens: 3.7,
    aperture: 0.07,
  },
  {
    name: "picnic",
    things: [put(duck, -0.5, 0.1, 212, 0.92), put(mug(RED), 1.3, -0.5, 35, 0.85), put(book(PLUM), 1.2, 1.35, 20, 0.6), put(ball(GREEN, CREAM), -1.95, -1.3, 0, 0.8)],
    floor: "cloth",
    wall: [0.13, 0.2, 0.19],
    wallAt: -5.5,
    sun: [0.7, 0.6, 0.45],
    light: [2.7, 2.35, 1.8],
    ambient: [0.42, 0.47, 0.55],
    eye: [-0.4, 3.3, 6.6],
    target: [0, 0.7, 0],
    lens: 3.5,
    aperture: 0.06,
  },
  {
    name: "bathroom",
    things: [put(duck, 0.45, 0.2, -52, 1.06), put(bottle(TEAL), -1.35, -0.9, 0, 0.95), put(bottle(PLUM), -2.1, -1.6, 0, 0.8), put(ball(RED, CREAM), 1.75, -1.7, 0, 0.6)],
    floor: "tiles",
    wall: [0.4, 0.55, 0.6],
    wallAt: -3,
    sun: [0.25, 0.9, 0.55],
    light: [1.75, 1.85, 1.95],
    ambient: [0.68, 0.72, 0.76],
    eye: [-1.3, 3.2, 5.6],
    target: [0, 1.0, 0],
    lens: 3.2,
    aperture: 0.05,
  },
  {
    name: "lawn",
    things: [put(duck, 0.75, 0.4, -14, 0.9), put(ball(RED, CREAM), -1.15, -0.2, 0, 0.95), put(block([0.5, 0.5, 0.5], BLUE), 2.2, -2.4, 20, 1), put(book(PLUM), -0.7, 2.0, -30, 0.5)],
    floor: "lawn",
    sun: [-0.75, 0.5, 0.2],
    light: [3.1, 2.5, 1.75],
    ambient: [0.42, 0.52, 0.68],
    eye: [0.2, 1.75, 6.9],
    target: [0.1, 1.0, 0],
    lens: 3.25,
    aperture: 0.08,
  },
];
