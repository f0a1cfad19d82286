// Renders the sample pictures: a small ray marcher, so that the repository owes nobody a photograph and knows to the
// pixel where everything is. Writes the pictures and what the samples bring with them, the duck's mask
// and the labels of two pictures, into www/samples; and what only the tests may know, all other masks and labels, beside
// this file. Takes a minute or two; the results are committed.
import { mkdirSync, writeFileSync } from "node:fs";
import jpeg from "jpeg-js";
import { encodePng } from "../png.mjs";
import { scenes } from "./scenes.mjs";

/** @typedef {import("./shapes.mjs").Vec} Vec */
/** @typedef {import("./scenes.mjs").Scene} Scene */
/** @typedef {import("./scenes.mjs").Placed} Placed */
/** @typedef {import("./things.mjs").Paint} Paint */
/** @typedef {import("./things.mjs").Kind} Kind */

const WIDTH = 480;
const HEIGHT = 360;
/** rays a pixel, as the side of a square of them */
const GRID = Number(process.env.GRID ?? 3);
const FAR = 40;
/** What a label stands for: the first is 1. @type {Kind[]} */
const KINDS = ["duck", "mug", "ball", "bottle", "book", "block"];
/** The pictures whose labels come with the page. */
const LABELLED = ["picnic", "lawn"];
const PAGE = new URL("../../../www/samples/", import.meta.url);
const HERE = new URL("./", import.meta.url);

/** @param {Vec} a @param {Vec} b @returns {Vec} */
const add = (a, b) => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
/** @param {Vec} a @param {number} k @returns {Vec} */
const times = (a, k) => [a[0] * k, a[1] * k, a[2] * k];
/** @param {Vec} a @param {Vec} b @returns {Vec} */
const mul = (a, b) => [a[0] * b[0], a[1] * b[1], a[2] * b[2]];
/** @param {Vec} a @param {Vec} b */
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
/** @param {Vec} a @returns {Vec} */
const unit = (a) => times(a, 1 / Math.hypot(...a));
/** @param {Vec} a @param {Vec} b @returns {Vec} */
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
/** @param {Vec} a @param {Vec} b @param {number} t @returns {Vec} */
const mix = (a, b, t) => add(times(a, 1 - t), times(b, t));
/** @param {number} lo @param {number} hi @param {number} x */
const smooth = (lo, hi, x) => {
  const t = Math.min(Math.max((x - lo) / (hi - lo), 0), 1);
  return t * t * (3 - 2 * t);
};

/** A number in 0..1 that depends on where one asks and on nothing else. @param {number} x @param {number} y */
function hash(x, y) {
  let h = (Math.imul(x | 0, 374761393) + Math.imul(y | 0, 668265263)) | 0;
  h = Math.imul(h ^ (h >>> 13), 1274126177);
  return ((h ^ (h >>> 16)) >>> 0) / 4294967296;
}

/** @param {number} x @param {number} y */
function noise(x, y) {
  const i = Math.floor(x);
  const j = Math.floor(y);
  const u = smooth(0, 1, x - i);
  const v = smooth(0, 1, y - j);
  const near = hash(i, j) * (1 - u) + hash(i + 1, j) * u;
  return near * (1 - v) + (hash(i, j + 1) * (1 - u) + hash(i + 1, j + 1) * u) * v;
}

/** @param {number} x @param {number} y */
const cloud = (x, y) => 0.55 * noise(x, y) + 0.3 * noise(2.1 * x + 7, 2.1 * y) + 0.15 * noise(4.3 * x, 4.3 * y + 3);

/** A point in the thing's own coordinates. @param {Vec} p @param {Placed} placed @returns {Vec} */
function within(p, { at, turn, scale }) {
  const angle = (turn * Math.PI) / 180;
  const x = (p[0] - at[0]) / scale;
  const z = (p[2] - at[2]) / scale;
  const c = Math.cos(angle);
  const s = Math.sin(angle);
  return [c * x - s * z, (p[1] - at[1]) / scale, s * x + c * z];
}

/** @param {Vec} p @param {Placed} placed */
function toThing(p, placed) {
  const { at, scale, thing } = placed;
  const ball = Math.hypot(p[0] - at[0], p[1] - at[1], p[2] - at[2]) - thing.radius * scale;
  return ball > 0.6 ? ball : thing.distance(within(p, placed)) * scale;
}

/** @param {Scene} scene @param {Vec} p */
function toAnything(scene, p) {
  let least = p[1];
  if (scene.wallAt !== undefined) least = Math.min(least, p[2] - scene.wallAt);
  for (const placed of scene.things) least = Math.min(least, toThing(p, placed));
  return least;
}

/** @param {Scene} scene @param {Vec} from @param {Vec} way */
function march(scene, from, way) {
  let far = 0.01;
  for (let step = 0; step < 140 && far < FAR; step++) {
    const d = toAnything(scene, add(from, times(way, far)));
    if (d < 0.0008 * far) return far;
    far += d * 0.9;
  }
  return far < FAR ? far : Infinity;
}

/** @param {Scene} scene @param {Vec} p @returns {Vec} */
function normal(scene, p) {
  const e = 0.0012;
  const d = (/** @type {number} */ x, /** @type {number} */ y, /** @type {number} */ z) => toAnything(scene, [p[0] + x, p[1] + y, p[2] + z]);
  return unit([d(e, 0, 0) - d(-e, 0, 0), d(0, e, 0) - d(0, -e, 0), d(0, 0, e) - d(0, 0, -e)]);
}

/** How much of the sun arrives, with a penumbra. @param {Scene} scene @param {Vec} p @param {Vec} sun */
function sunlight(scene, p, sun) {
  let open = 1;
  let far = 0.03;
  for (let step = 0; step < 48 && far < 9 && open > 0.005; step++) {
    const d = toAnything(scene, add(p, times(sun, far)));
    open = Math.min(open, (9 * d) / far);
    far += Math.min(Math.max(d, 0.03), 0.5);
  }
  return smooth(0, 1, Math.max(open, 0));
}

/** How open the sky is above a point: creases are dark. @param {Scene} scene @param {Vec} p @param {Vec} n */
function openness(scene, p, n) {
  let shut = 0;
  for (let step = 1; step <= 5; step++) {
    const reach = 0.11 * step;
    shut += (reach - toAnything(scene, add(p, times(n, reach)))) / 2 ** step;
  }
  return Math.min(Math.max(1 - 1.9 * shut, 0), 1);
}

/** @type {Record<import("./scenes.mjs").Floor, (x: number, z: number) => Paint>} */
const floors = {
  wood(x, z) {
    const plank = Math.floor(z / 0.9);
    const grain = cloud(x * 0.7 + 31 * hash(plank, 5), z * 9 + 3 * noise(x * 0.5, z));
    const edge = smooth(0, 0.02, Math.abs(((z / 0.9) % 1 + 1) % 1 - 0.5) - 0.48);
    const tone = mix([0.34, 0.17, 0.075], [0.52, 0.3, 0.15], grain * 0.8 + 0.2 * hash(plank, 9));
    return { colour: times(tone, 1 - 0.6 * edge), gloss: 0.3 };
  },
  cloth(x, z) {
    const across = ((x / 0.9) % 1 + 1) % 1 < 0.5 ? 1 : 0;
    const along = ((z / 0.9) % 1 + 1) % 1 < 0.5 ? 1 : 0;
    const weave = 0.9 + 0.1 * hash(Math.floor(x * 60), Math.floor(z * 60));
    const tone = mix([0.78, 0.77, 0.74], [0.07, 0.16, 0.4], (across + along) / 2);
    return { colour: times(tone, weave), gloss: 0 };
  },
  tiles(x, z) {
    const u = Math.abs(((x / 1.1) % 1 + 1) % 1 - 0.5);
    const v = Math.abs(((z / 1.1) % 1 + 1) % 1 - 0.5);
    const joint = smooth(0.472, 0.485, Math.max(u, v));
    const shade = 0.92 + 0.08 * hash(Math.floor(x / 1.1 + 0.5), Math.floor(z / 1.1 + 0.5));
    return { colour: mix(times([0.66, 0.69, 0.7], shade), [0.3, 0.33, 0.34], joint), gloss: 0.7 * (1 - joint) };
  },
  lawn(x, z) {
    const blades = cloud(x * 22, z * 9) * 0.7 + 0.3 * cloud(x * 2, z * 2);
    return { colour: mix([0.025, 0.09, 0.012], [0.16, 0.33, 0.06], blades), gloss: 0 };
  },
};

/** @param {Scene} scene @param {Vec} p @returns {Paint & { kind?: Kind }} */
function paintAt(scene, p) {
  const distances = scene.things.map((placed) => toThing(p, placed));
  const least = Math.min(...distances);
  const nearest = scene.things[distances.indexOf(least)];
  const toWall = scene.wallAt === undefined ? Infinity : p[2] - scene.wallAt;
  if (nearest && least < Math.min(p[1], toWall)) {
    return { ...nearest.thing.paint(within(p, nearest)), kind: nearest.thing.kind };
  }
  if (scene.wall && toWall < p[1]) return { colour: wallAt(scene.wall, p), gloss: 0.05 };
  return { ...floors[scene.floor](p[0], p[2]) };
}

/** @param {Vec} colour @param {Vec} p @returns {Vec} */
function wallAt(colour, p) {
  const skirting = p[1] < 0.5 ? 0.75 : 1;
  return times(colour, (0.94 + 0.12 * cloud(p[0] * 1.3, p[1] * 1.3)) * skirting);
}

/** What a ray that meets nothing sees: sky, and a bright window for lacquer to mirror. @param {Scene} scene @param {Vec} way @returns {Vec} */
function sky(scene, way) {
  if (!scene.wall) {
    const trees = smooth(0.0, 0.03, 0.085 + 0.06 * cloud(way[0] * 9, 3) + 0.02 * noise(way[0] * 60, 1) - way[1]);
    const air = mix([0.72, 0.8, 0.86], [0.2, 0.42, 0.75], smooth(0, 0.7, way[1]));
    const leaves = times([0.04, 0.085, 0.035], 0.5 + cloud(way[0] * 40, way[1] * 40));
    return mix(air, leaves, trees);
  }
  return mix([0.3, 0.29, 0.28], [0.6, 0.62, 0.66], smooth(-0.2, 0.8, way[1]));
}

/** @param {Vec} way @param {Vec} sun */
function windowPane(way, sun) {
  const along = unit([sun[2], 0, -sun[0]]);
  const ahead = dot(way, sun);
  const aside = Math.abs(dot(way, along));
  return smooth(0.86, 0.93, ahead) * (1 - smooth(0.3, 0.36, aside)) * (aside < 0.015 ? 0.25 : 1);
}

/** @param {Scene} scene @param {Vec} p @param {Vec} way @param {Paint} paint @returns {Vec} */
function shade(scene, p, way, { colour, gloss }) {
  const n = normal(scene, p);
  const sun = unit(scene.sun);
  const open = openness(scene, p, n);
  const lit = Math.max(dot(n, sun), 0) * sunlight(scene, add(p, times(n, 0.004)), sun);
  const above = 0.5 + 0.5 * n[1];
  const ground = floors[scene.floor](p[0], p[2]).colour;
  const bounce = times(ground, 0.55 * (1 - above) * open);
  const light = add(add(times(scene.light, lit), times(scene.ambient, above * open)), bounce);
  const mirrored = add(way, times(n, -2 * dot(way, n)));
  const facing = 1 - Math.max(-dot(way, n), 0);
  const fresnel = (0.035 + 0.6 * facing ** 5) * gloss;
  const seen = add(times(sky(scene, mirrored), open), times(scene.light, 2.6 * windowPane(mirrored, sun) * (0.3 + 0.7 * Math.min(lit * 3, 1))));
  return add(times(mul(colour, light), 1 - fresnel), times(seen, fresnel));
}

/** A thin lens focused on the target. @param {Scene} scene @param {number} x @param {number} y @param {number} a @param {number} b */
function ray(scene, x, y, a, b) {
  const ahead = unit(add(scene.target, times(scene.eye, -1)));
  const right = unit(cross(ahead, [0, 1, 0]));
  const up = cross(right, ahead);
  const u = (x - WIDTH / 2) / (HEIGHT / 2);
  const v = (HEIGHT / 2 - y) / (HEIGHT / 2);
  const through = add(times(ahead, scene.lens), add(times(right, u), times(up, v)));
  const focus = Math.hypot(...add(scene.target, times(scene.eye, -1))) / scene.lens;
  const radius = Math.sqrt(a) * scene.aperture;
  const offset = add(times(right, radius * Math.cos(2 * Math.PI * b)), times(up, radius * Math.sin(2 * Math.PI * b)));
  return { from: add(scene.eye, offset), way: unit(add(times(through, focus), times(offset, -1))) };
}

/** @param {Scene} scene @param {number} x @param {number} y @returns {{ colour: Vec, kind?: Kind | undefined }} */
function sample(scene, x, y) {
  const { from, way } = ray(scene, x, y, hash(x * 977, y * 1013), hash(y * 769 + 11, x * 643));
  const far = march(scene, from, way);
  if (far === Infinity) return { colour: sky(scene, way) };
  const p = add(from, times(way, far));
  const paint = paintAt(scene, p);
  const haze = scene.wall ? 0 : smooth(8, FAR, far) * 0.5;
  return { colour: mix(shade(scene, p, way, paint), [0.6, 0.68, 0.72], haze), kind: paint.kind };
}

/** Light to a pixel's value: a shoulder for the highlights, then the usual curve. @param {number} light */
function develop(light) {
  const x = light * 0.66;
  const film = (x * (2.51 * x + 0.03)) / (x * (2.43 * x + 0.59) + 0.14);
  return 255 * Math.min(Math.max(film, 0), 1) ** (1 / 2.2);
}

/** @param {Scene} scene */
function render(scene) {
  const picture = new Uint8Array(WIDTH * HEIGHT * 4);
  const labels = new Uint8Array(WIDTH * HEIGHT);
  for (let i = 0; i < WIDTH * HEIGHT; i++) {
    const x = i % WIDTH;
    const y = Math.floor(i / WIDTH);
    /** @type {Vec} */
    let sum = [0, 0, 0];
    const hits = new Uint8Array(KINDS.length + 1);
    for (let s = 0; s < GRID * GRID; s++) {
      const got = sample(scene, x + ((s % GRID) + 0.5) / GRID, y + (Math.floor(s / GRID) + 0.5) / GRID);
      // One glint must not outshine its whole pixel.
      sum = add(sum, /** @type {Vec} */ (got.colour.map((c) => Math.min(c, 3))));
      const label = got.kind ? KINDS.indexOf(got.kind) + 1 : 0;
      hits[label] = (hits[label] ?? 0) + 1;
    }
    const away = Math.hypot(x / WIDTH - 0.5, y / HEIGHT - 0.5);
    const kept = (1 - 0.35 * away * away) / (GRID * GRID);
    const grain = (hash(x + 17, y + 29) - 0.5) * 5;
    sum.forEach((c, at) => (picture[i * 4 + at] = Math.min(Math.max(develop(c * kept) + grain, 0), 255)));
    picture[i * 4 + 3] = 255;
    labels[i] = hits.findIndex((count) => count * 2 >= GRID * GRID);
  }
  return { picture, labels: labels.map((label) => (label > KINDS.length ? 0 : label)) };
}

/** @param {Scene} scene @param {number} index */
function write(scene, index) {
  const { picture, labels } = render(scene);
  const mask = labels.map((label) => (label === 1 ? 255 : 0));
  const photo = jpeg.encode({ width: WIDTH, height: HEIGHT, data: Buffer.from(picture) }, 88).data;
  const truth = encodePng({ width: WIDTH, height: HEIGHT, channels: 1, data: mask });
  writeFileSync(new URL(`${scene.name}.jpg`, PAGE), photo);
  writeFileSync(new URL(`${scene.name}-mask.png`, index === 0 ? PAGE : HERE), truth);
  const all = encodePng({ width: WIDTH, height: HEIGHT, channels: 1, data: labels });
  writeFileSync(new URL(`${scene.name}-labels.png`, LABELLED.includes(scene.name) ? PAGE : HERE), all);
  const share = (100 * mask.filter(Boolean).length) / mask.length;
  console.log(`${scene.name}: ${photo.length} bytes, the duck fills ${share.toFixed(1)} %`);
}

mkdirSync(PAGE, { recursive: true });
const only = process.argv.slice(2);
scenes.forEach((scene, index) => {
  if (only.length === 0 || only.includes(scene.name)) write(scene, index);
});
