// What hands do on the easel, whatever they hold. One finger, the pen or the left button draws; two fingers, the middle
// button, or the left one with the space bar move the picture. A finger that is joined by another was no stroke.

/** @typedef {import("./shapes.js").Point} Point */

/**
 * Points are in pixels of the screen, from the element's corner.
 * @typedef {object} Hands
 * @property {(point: Point, event: PointerEvent) => void} down
 * @property {(point: Point, event: PointerEvent) => void} move
 * @property {(point: Point, event: PointerEvent) => void} up
 * @property {() => void} cancel
 * @property {(point: Point, event: PointerEvent) => void} hover
 * @property {(right: number, down: number, factor: number, held: Point) => void} carry
 * @property {() => boolean} carries  whether the left button moves the picture now
 */

const [LEFT, MIDDLE] = [0, 1];
export const PEN_ERASER = 5;

/** @param {HTMLElement} element @param {MouseEvent} event @returns {Point} */
export function pointIn(element, event) {
  const { left, top } = element.getBoundingClientRect();
  return { x: event.clientX - left, y: event.clientY - top };
}

/** The middle of some points, and how far they lie from it. @param {Point[]} points */
function gauge(points) {
  const mean = (/** @type {number[]} */ values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const middle = { x: mean(points.map(({ x }) => x)), y: mean(points.map(({ y }) => y)) };
  return { middle, spread: mean(points.map(({ x, y }) => Math.hypot(x - middle.x, y - middle.y))) };
}

/** @param {HTMLElement} element @param {Hands} hands */
export function watchHands(element, hands) {
  /** the pointer that draws @type {number | undefined} */
  let drawing;
  /** those that move the picture, and where they are @type {Map<number, Point>} */
  const carrying = new Map();
  /** a finger that draws, to be joined by another @type {{ id: number, at: Point } | undefined} */
  let finger;

  const stop = () => {
    drawing = undefined;
    finger = undefined;
  };

  /** @param {PointerEvent} event */
  function down(event) {
    const at = pointIn(element, event);
    const touch = event.pointerType === "touch";
    if (touch && (finger || carrying.size > 0)) return join(event.pointerId, at);
    // While the pen or the mouse draws, the hand that lies on the screen says nothing.
    if (drawing !== undefined || carrying.size > 0) return;
    const carries = event.button === MIDDLE || (event.button === LEFT && hands.carries());
    if (!carries && event.button !== LEFT && event.button !== PEN_ERASER) return;
    element.setPointerCapture(event.pointerId);
    if (event.button === MIDDLE) event.preventDefault();
    if (carries) return void carrying.set(event.pointerId, at);
    drawing = event.pointerId;
    if (touch) finger = { id: event.pointerId, at };
    hands.down(at, event);
  }

  /** @param {number} id @param {Point} at */
  function join(id, at) {
    element.setPointerCapture(id);
    if (finger) {
      carrying.set(finger.id, finger.at);
      stop();
      hands.cancel();
    }
    carrying.set(id, at);
  }

  /** @param {PointerEvent} event */
  function move(event) {
    const at = pointIn(element, event);
    if (carrying.has(event.pointerId)) return carry(event.pointerId, at);
    if (event.pointerId !== drawing) return void (event.isPrimary && drawing === undefined && carrying.size === 0 && hands.hover(at, event));
    if (finger) finger.at = at;
    const between = event.getCoalescedEvents();
    for (const step of between.length > 0 ? between : [event]) hands.move(pointIn(element, step), step);
  }

  /** @param {number} id @param {Point} at */
  function carry(id, at) {
    const before = gauge([...carrying.values()]);
    carrying.set(id, at);
    const after = gauge([...carrying.values()]);
    const factor = before.spread > 0 ? after.spread / before.spread : 1;
    hands.carry(after.middle.x - before.middle.x, after.middle.y - before.middle.y, factor, after.middle);
  }

  /** @param {PointerEvent} event @param {() => void} finish */
  function lift(event, finish) {
    carrying.delete(event.pointerId);
    if (event.pointerId !== drawing) return;
    stop();
    finish();
  }

  element.addEventListener("pointerdown", down);
  element.addEventListener("pointermove", move);
  element.addEventListener("pointerup", (event) => lift(event, () => hands.up(pointIn(element, event), event)));
  // The browser has taken the finger for something else: it was no stroke.
  element.addEventListener("pointercancel", (event) => lift(event, hands.cancel));
  element.addEventListener("lostpointercapture", (event) => lift(event, hands.cancel));
}
