// How a picture lies in its frame, without a browser.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fit, pan, reframe, reveal, toFrame, toPicture, zoom } from "../../www/js/view.js";

const PICTURE = { width: 400, height: 300 };
const FRAME = { width: 200, height: 200 };

test("a picture that fits lies in the middle of its frame", () => {
  assert.deepEqual(fit(PICTURE, FRAME), { scale: 0.5, x: 0, y: 25 });
});

test("zooming holds the point under the hand, and ends at the whole picture", () => {
  const held = { x: 90, y: 110 };
  const whole = fit(PICTURE, FRAME);
  const near = zoom(whole, 4, held, PICTURE, FRAME);
  const [before, after] = [toPicture(whole, held), toPicture(near, held)];
  assert.ok(Math.hypot(before.x - after.x, before.y - after.y) < 1e-9);
  assert.deepEqual(zoom(near, 0.01, held, PICTURE, FRAME), whole);
  assert.ok(zoom(near, 1e9, held, PICTURE, FRAME).scale < 100);
});

test("a picture is not moved out of its frame", () => {
  const near = zoom(fit(PICTURE, FRAME), 4, { x: 100, y: 100 }, PICTURE, FRAME);
  const left = pan(near, 1e4, 1e4, PICTURE, FRAME);
  assert.deepEqual([left.x, left.y], [0, 0]);
  const right = pan(near, -1e4, -1e4, PICTURE, FRAME);
  assert.deepEqual(toPicture(right, { x: 200, y: 200 }), { x: 400, y: 300 });
});

test("a frame of another size shows the same place, and a far point can be brought into sight", () => {
  const near = zoom(fit(PICTURE, FRAME), 4, { x: 60, y: 100 }, PICTURE, FRAME);
  const half = { width: 100, height: 100 };
  const middle = toPicture(reframe(near, FRAME, PICTURE, half), { x: 50, y: 50 });
  const before = toPicture(near, { x: 100, y: 100 });
  assert.ok(Math.hypot(middle.x - before.x, middle.y - before.y) < 1e-9);
  const { x, y } = toFrame(reveal(near, { x: 350, y: 150 }, 10, PICTURE, FRAME), { x: 350, y: 150 });
  assert.ok(x >= 10 && x <= 190 && y >= 10 && y <= 190, `${x}, ${y}`);
});
