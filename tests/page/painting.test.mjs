// Painting, without a browser.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Painting, share } from "../../www/js/mask.js";
import { thin } from "../../www/js/overlay.js";

/** @param {Painting} painting @param {number} x @param {number} y @param {boolean} [erase] */
function dot(painting, x, y, erase = false) {
  painting.begin();
  painting.draw({ x, y }, { x, y }, 3, erase);
  painting.end();
}

test("a dot is round and stays in the picture", () => {
  const painting = new Painting(20, 10);
  dot(painting, 0, 5);
  assert.equal(painting.mask[5 * 20], 255);
  assert.equal(painting.mask[5 * 20 + 2], 255);
  assert.equal(painting.mask[5 * 20 + 3], 0);
  assert.equal(painting.mask[4 * 20 + 19], 0);
});

test("a stroke joins its ends", () => {
  const painting = new Painting(40, 10);
  painting.begin();
  painting.draw({ x: 5, y: 5 }, { x: 35, y: 5 }, 2, false);
  painting.end();
  for (let x = 4; x < 36; x++) assert.equal(painting.mask[5 * 40 + x], 255, `at ${x}`);
});

test("undo and redo go back and forth, and a new stroke ends the redoing", () => {
  const painting = new Painting(30, 30);
  dot(painting, 8, 8);
  const one = painting.mask.slice();
  dot(painting, 20, 20);
  dot(painting, 20, 20, true);
  assert.deepEqual(painting.mask, one);
  painting.undo();
  painting.undo();
  assert.deepEqual(painting.mask, one);
  painting.redo();
  assert.equal(painting.mask[20 * 30 + 20], 255);
  dot(painting, 3, 25);
  assert.equal(painting.canRedo, false);
});

test("clearing and another mask can be undone", () => {
  const painting = new Painting(12, 12);
  painting.replace(new Uint8Array(144).fill(255));
  painting.clear();
  assert.equal(painting.share, 0);
  painting.undo();
  assert.equal(painting.share, 1);
  painting.undo();
  assert.equal(painting.share, 0);
  assert.equal(painting.canUndo, false);
});

test("the history of a large mask is short, and never empty", () => {
  const painting = new Painting(4096, 4096);
  for (let stroke = 0; stroke < 6; stroke++) painting.clear();
  let undone = 0;
  for (; painting.canUndo; undone++) painting.undo();
  assert.equal(undone, 3);
  const vast = new Painting(9000, 8000);
  vast.clear();
  assert.ok(vast.canUndo);
});

test("the share counts what is set", () => {
  assert.equal(share(Uint8Array.of(255, 0, 0, 255)), 0.5);
});

test("a thinned mask has every second pixel of every second row", () => {
  const mask = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
  assert.deepEqual(thin(mask, 3, 3, 2), { mask: Uint8Array.of(1, 3, 7, 9), width: 2, height: 2 });
  assert.deepEqual(thin(mask, 3, 3, 1).mask, mask);
});
