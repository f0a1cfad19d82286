// Painting labels, without a browser.
import assert from "node:assert/strict";
import { test } from "node:test";
import { palette } from "../../www/js/overlay.js";
import { Painting, UNSURE } from "../../www/js/painting.js";
import { atOnce, inSlices } from "../../www/js/slices.js";

/** @param {Painting} painting @param {number} x @param {number} y @param {number} [value] */
function dot(painting, x, y, value = 1) {
  painting.begin();
  painting.draw({ x, y }, { x, y }, 3, value);
  return painting.end();
}

/** @param {Painting} painting @param {[number, number][]} corners @param {number} [value] */
const polygon = (painting, corners, value = 1) => painting.polygon(corners.map(([x, y]) => ({ x, y })), value);

/** @param {Painting} painting @param {number} x @param {number} y @param {number} value */
const fill = (painting, x, y, value) => painting.fill({ x: x + 0.5, y: y + 0.5 }, value);

/** A painting from rows of digits, the dot for background. @param {...string} rows */
function drawn(...rows) {
  const labels = Uint8Array.from(rows.join("").replaceAll(".", "0"), Number);
  return new Painting(rows[0]?.length ?? 0, rows.length, labels);
}

/** @param {Painting} painting */
function rows({ labels, width, height }) {
  const row = (/** @type {number} */ y) => [...labels.subarray(y * width, (y + 1) * width)].map((label) => label || ".").join("");
  return Array.from({ length: height }, (_, y) => row(y));
}

test("a dot is round and stays in the picture", async () => {
  const painting = new Painting(20, 10);
  await dot(painting, 0, 5);
  assert.equal(painting.labels[5 * 20], 1);
  assert.equal(painting.labels[5 * 20 + 2], 1);
  assert.equal(painting.labels[5 * 20 + 3], 0);
  assert.equal(painting.labels[4 * 20 + 19], 0);
});

test("a stroke covers the pixels whose centres are near enough to its line, and no others", async () => {
  const [from, to, radius] = [{ x: 6.3, y: 21.8 }, { x: 30.1, y: 7.4 }, 5.2];
  const painting = new Painting(36, 30);
  painting.begin();
  painting.draw(from, to, radius, 9);
  await painting.end();
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  painting.labels.forEach((label, at) => {
    const [x, y] = [(at % 36) + 0.5, Math.floor(at / 36) + 0.5];
    const along = Math.min(Math.max(((x - from.x) * dx + (y - from.y) * dy) / (dx ** 2 + dy ** 2), 0), 1);
    const near = Math.hypot(x - from.x - along * dx, y - from.y - along * dy) <= radius;
    assert.equal(label, near ? 9 : 0, `at ${x}, ${y}`);
  });
});

test("a polygon has the pixels whose centres are inside", async () => {
  const painting = new Painting(8, 6);
  await polygon(painting, [[1, 1], [6, 1], [6, 4], [1, 4]], 3);
  assert.deepEqual(rows(painting), ["........", ".33333..", ".33333..", ".33333..", "........", "........"]);
  const slanted = new Painting(6, 6);
  await polygon(slanted, [[0, 0], [6, 6], [0, 6]]);
  assert.deepEqual(rows(slanted), ["1.....", "11....", "111...", "1111..", "11111.", "111111"]);
});

test("an outline that goes round twice leaves no hole, and both lobes of an eight are filled", async () => {
  const twice = new Painting(10, 10);
  await polygon(twice, [[1, 1], [9, 1], [9, 9], [1, 9], [1, 1], [3, 3], [7, 3], [7, 7], [3, 7], [3, 3]]);
  assert.equal(twice.labels[5 * 10 + 5], 1);
  const eight = new Painting(10, 4);
  await polygon(eight, [[0, 0], [10, 4], [10, 0], [0, 4]]);
  assert.equal(eight.labels[2 * 10], 1);
  assert.equal(eight.labels[2 * 10 + 9], 1);
  assert.equal(eight.labels[0 * 10 + 5], 0);
});

test("an outline beyond the picture is cut off at its border", async () => {
  const painting = new Painting(4, 3);
  await polygon(painting, [[-50, -50], [50, -50], [50, 2], [-50, 2]], 2);
  assert.deepEqual(rows(painting), ["2222", "2222", "...."]);
});

test("filling takes the connected region, which touching corners do not connect", async () => {
  const painting = drawn("..1..", "..1..", "11...", ".....");
  assert.ok(await fill(painting, 0, 0, 5));
  assert.deepEqual(rows(painting), ["551..", "551..", "11...", "....."]);
  await fill(painting, 4, 0, 7);
  assert.deepEqual(rows(painting), ["55177", "55177", "11777", "77777"]);
  await fill(painting, 2, 0, 7);
  assert.deepEqual(rows(painting), ["55777", "55777", "11777", "77777"]);
});

test("filling goes round corners and up again", async () => {
  const painting = drawn(".1.1.", ".1.1.", ".1.1.", ".....");
  await fill(painting, 4, 0, 2);
  assert.deepEqual(rows(painting), ["21212", "21212", "21212", "22222"]);
});

test("a click on an outline fills what it encloses, and leaves other classes there", async () => {
  const painting = drawn(".......", ".33333.", ".3...3.", ".3.4.3.", "..3.3.3", "...3...", ".3.....");
  await fill(painting, 1, 1, 3);
  assert.deepEqual(rows(painting), [".......", ".33333.", ".33333.", ".33433.", "..333.3", "...3...", ".3....."]);
});

test("filling what is filled, or beside the picture, changes nothing", async () => {
  const painting = drawn("11", "11");
  assert.equal(await fill(painting, 0, 0, 1), false);
  assert.equal(await fill(painting, 2, 0, 5), false);
  assert.equal(painting.canUndo, false);
});

test("undo and redo go back and forth, and a new stroke ends the redoing", async () => {
  const painting = new Painting(30, 30);
  await dot(painting, 8, 8);
  const one = painting.labels.slice();
  await dot(painting, 20, 20, UNSURE);
  await dot(painting, 20, 20, 0);
  assert.deepEqual(painting.labels, one);
  await painting.undo();
  assert.equal(painting.labels[20 * 30 + 20], UNSURE);
  await painting.undo();
  assert.deepEqual(painting.labels, one);
  await painting.redo();
  assert.equal(painting.labels[20 * 30 + 20], UNSURE);
  await dot(painting, 3, 25);
  assert.equal(painting.canRedo, false);
});

test("what changes nothing is no step to undo", async () => {
  const painting = new Painting(20, 20);
  assert.equal(await dot(painting, 5, 5, 0), false);
  assert.equal(await dot(painting, 5, 5), true);
  assert.equal(await dot(painting, 5, 5), false);
  await painting.undo();
  assert.equal(painting.canUndo, false);
});

test("a cancelled stroke was none, and what could be redone still can", async () => {
  const painting = new Painting(20, 20);
  await dot(painting, 5, 5);
  await dot(painting, 15, 15);
  await painting.undo();
  const { version, labels } = painting;
  const before = labels.slice();
  painting.begin();
  painting.draw({ x: 2, y: 2 }, { x: 18, y: 2 }, 4, 8);
  painting.cancel();
  assert.deepEqual(painting.labels, before);
  assert.ok(painting.version > version, "who shows it draws it again");
  assert.equal(painting.canRedo, true);
  assert.equal(painting.counts().has(8), false);
});

test("clearing and other labels can be undone", async () => {
  const painting = new Painting(12, 12);
  await painting.replace(new Uint8Array(144).fill(4));
  await painting.clear();
  assert.equal(painting.share, 0);
  await painting.undo();
  assert.equal(painting.share, 1);
  await painting.undo();
  assert.equal(painting.share, 0);
  assert.equal(painting.canUndo, false);
});

test("the counts are those of the labels, whatever was done", async () => {
  const painting = drawn("1122", "33..");
  assert.deepEqual([...painting.counts()], [[0, 0.25], [1, 0.25], [2, 0.25], [3, 0.25]]);
  const truth = () => {
    const counts = new Map();
    for (const label of [...painting.labels].sort((a, b) => a - b)) counts.set(label, (counts.get(label) ?? 0) + 1 / 8);
    return counts;
  };
  const steps = [
    () => fill(painting, 3, 1, 1),
    () => polygon(painting, [[1, 0], [4, 0], [4, 2]], UNSURE),
    () => painting.undo(),
    () => painting.renumber(2, 7),
    () => painting.redo(),
    () => painting.removeClass(1),
    () => painting.undo(),
    () => painting.clear(),
  ];
  for (const step of steps) {
    await step();
    assert.deepEqual(painting.counts(), truth());
  }
});

test("the share leaves out what nobody is sure of", () => {
  const painting = new Painting(2, 2, Uint8Array.of(0, 1, 250, UNSURE));
  assert.equal(painting.share, 0.5);
});

test("a class that is removed does not come back by undoing", async () => {
  const painting = drawn("12..");
  await fill(painting, 3, 0, 1);
  await painting.removeClass(1);
  assert.deepEqual(rows(painting), [".2.."]);
  await painting.undo();
  assert.deepEqual(rows(painting), [".2.."]);
  assert.equal(painting.counts().has(1), false);
  await painting.redo();
  assert.deepEqual(rows(painting), [".2.."]);
});

test("a new number holds for the history too", async () => {
  const painting = drawn("1...");
  await fill(painting, 0, 0, 2);
  await painting.renumber(1, 6);
  await painting.undo();
  assert.deepEqual(rows(painting), ["6..."]);
});

test("the history of a large picture is short, and never empty", async () => {
  const painting = new Painting(4096, 4096);
  for (let step = 1; step <= 6; step++) await painting.replace(new Uint8Array(4096 * 4096).fill(step));
  let undone = 0;
  for (; painting.canUndo; undone++) await painting.undo();
  assert.equal(undone, 3);
  const vast = new Painting(9000, 8000);
  await vast.replace(new Uint8Array(9000 * 8000).fill(1));
  assert.ok(vast.canUndo);
});

test("labels that come in take the numbers they are given, and what is there stays, but for the classes that come anew", async () => {
  const painting = drawn("113344", "113344");
  await painting.merge(Uint8Array.of(0, 1, 0, 2, 3, UNSURE, 0, 1, 0, 2, 3, UNSURE), [7, 3, 0]);
  assert.deepEqual([...painting.labels.subarray(0, 6)], [1, 7, 0, 3, 0, UNSURE], "the third name stands for nothing");
  await painting.undo();
  assert.deepEqual(rows(painting), ["113344", "113344"]);
});

/** Work of some steps that notes what else was done meanwhile. @param {string[]} notes */
function* counting(notes) {
  for (let step = 1; step <= 3; step++) {
    notes.push(`step ${step}`);
    yield;
  }
  return "done";
}

test("between slices the thread is free, and what is short is done at once", async () => {
  /** @type {string[]} */
  const notes = [];
  const working = inSlices(counting(notes), 0);
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    notes.push("another task");
    port1.close();
  };
  port2.postMessage(undefined);
  assert.equal(await working, "done");
  assert.ok(notes.indexOf("another task") < notes.indexOf("step 3"), `${notes}`);
  /** @type {string[]} */
  const short = [];
  void inSlices(counting(short), 60_000);
  assert.equal(short.length, 3);
  assert.equal(atOnce(counting([])), "done");
});

/** From here on a slice is no longer than a step. @param {import("node:test").TestContext} context */
function slowly(context) {
  let time = 0;
  context.mock.method(performance, "now", () => (time += 1000));
}

test("in slices everything comes to the same as at once", async (context) => {
  // Blots of three classes on more than one tile.
  const labels = Uint8Array.from({ length: 620 * 540 }, (_, at) => Math.floor(2 + 2 * Math.sin((at % 620) / 40) * Math.cos(Math.floor(at / 620) / 35)));
  const other = labels.map((label) => (label + 1) % 3);
  /** @type {((painting: Painting) => Promise<unknown>)[]} */
  const steps = [
    (painting) => polygon(painting, [[5, 5], [600, 30], [580, 500], [40, 520]], 9),
    (painting) => fill(painting, 300, 250, 4),
    (painting) => polygon(painting, [[200, 200], [300, 200], [250, 300]], 0),
    (painting) => fill(painting, 100, 100, 4),
    (painting) => painting.undo(),
    (painting) => painting.redo(),
    (painting) => dot(painting, 250, 255, 5),
    (painting) => painting.merge(other, [4, 8]),
    (painting) => painting.renumber(4, 6),
    (painting) => painting.undo(),
    (painting) => painting.removeClass(3),
    (painting) => painting.replace(other),
    (painting) => painting.clear(),
    (painting) => painting.undo(),
  ];
  const direct = [];
  const once = await Painting.of(620, 540, labels.slice());
  for (const step of steps) {
    const outcome = await step(once);
    direct.push({ outcome, labels: once.labels.slice(), counts: once.counts(), undo: once.canUndo, redo: once.canRedo, version: once.version });
  }
  slowly(context);
  const sliced = await Painting.of(620, 540, labels.slice());
  for (const [at, step] of steps.entries()) {
    const working = step(sliced);
    assert.ok(sliced.busy, "it takes a while");
    const outcome = await working;
    assert.deepEqual({ outcome, labels: sliced.labels, counts: sliced.counts(), undo: sliced.canUndo, redo: sliced.canRedo, version: sliced.version }, direct[at], `step ${at}`);
  }
});

test("what is asked for while something goes on waits for its turn, and no stroke begins", async (context) => {
  const painting = new Painting(600, 600);
  slowly(context);
  const outcomes = [fill(painting, 300, 300, 1), fill(painting, 300, 300, 2), painting.undo(), painting.removeClass(9)];
  assert.ok(painting.busy);
  assert.ok(painting.edited, "although there is nothing to undo yet");
  painting.begin();
  assert.equal(painting.draw({ x: 5, y: 5 }, { x: 50, y: 50 }, 9, 7), undefined);
  painting.cancel();
  await painting.rest();
  assert.deepEqual(await Promise.all(outcomes), [true, true, true, undefined]);
  assert.equal(painting.busy, false);
  assert.deepEqual([...painting.counts()], [[1, 1]]);
  assert.ok(painting.canUndo && painting.canRedo);
});

test("a class that goes in the middle of a stroke ends the stroke, and the counts stay true", async () => {
  const painting = new Painting(40, 40);
  painting.begin();
  painting.draw({ x: 5, y: 5 }, { x: 20, y: 5 }, 3, 1);
  await painting.removeClass(1);
  assert.equal(painting.draw({ x: 20, y: 5 }, { x: 30, y: 5 }, 3, 1), undefined);
  assert.equal(await painting.end(), false);
  assert.deepEqual([...painting.counts()], [[0, 1]]);
});

test("hidden classes have no colour, and those that are not sure always have", () => {
  const colours = palette([{ number: 1, colour: "#ff2d75" }, { number: 2, colour: "#00ff00", hidden: true }]);
  assert.equal(colours[1], 0xff752dff);
  assert.equal(colours[2], 0);
  assert.notEqual(colours[UNSURE], 0);
});
