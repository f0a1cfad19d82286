// How a picture lies in its frame: how large, and where. No page in here.

/** @typedef {import("./shapes.js").Point} Point */
/** @typedef {{ width: number, height: number }} Size */
/** @typedef {{ scale: number, x: number, y: number }} View  pixels of the frame to one of the picture; where in the frame the picture's corner lies */

/** So many pixels of the screen show one of the picture at most. */
const CLOSEST = 24;

/** @param {Size} picture @param {Size} frame */
export const fitting = (picture, frame) => Math.min(frame.width / picture.width, frame.height / picture.height);

/** The whole picture, in the middle. @param {Size} picture @param {Size} frame @returns {View} */
export function fit(picture, frame) {
  const scale = fitting(picture, frame);
  return { scale, x: (frame.width - scale * picture.width) / 2, y: (frame.height - scale * picture.height) / 2 };
}

/** @param {View} view @param {Point} point  in the frame @returns {Point} in the picture */
export const toPicture = ({ scale, x, y }, point) => ({ x: (point.x - x) / scale, y: (point.y - y) / scale });

/** @param {View} view @param {Point} point  in the picture @returns {Point} in the frame */
export const toFrame = ({ scale, x, y }, point) => ({ x: point.x * scale + x, y: point.y * scale + y });

/** Along one side: a picture that is shorter than its frame lies in the middle, a longer one leaves no gap. @param {number} at @param {number} long @param {number} frame */
const settle = (at, long, frame) => (long <= frame ? (frame - long) / 2 : Math.min(Math.max(at, frame - long), 0));

/** Moved, as far as the picture goes. @param {View} view @param {number} right @param {number} down @param {Size} picture @param {Size} frame @returns {View} */
export const pan = ({ scale, x, y }, right, down, picture, frame) => ({
  scale,
  x: settle(x + right, scale * picture.width, frame.width),
  y: settle(y + down, scale * picture.height, frame.height),
});

/** Larger or smaller, with one point of the frame held where it is. @param {View} view @param {number} factor @param {Point} held @param {Size} picture @param {Size} frame */
export function zoom(view, factor, held, picture, frame) {
  const least = fitting(picture, frame);
  const scale = Math.min(Math.max(view.scale * factor, least), Math.max(least, CLOSEST));
  const grown = scale / view.scale;
  return pan({ scale, x: held.x - (held.x - view.x) * grown, y: held.y - (held.y - view.y) * grown }, 0, 0, picture, frame);
}

/** The same part of the picture in a frame of another size. @param {View} view @param {Size} before @param {Size} picture @param {Size} frame */
export function reframe(view, before, picture, frame) {
  const middle = toPicture(view, { x: before.width / 2, y: before.height / 2 });
  const scale = (view.scale / fitting(picture, before)) * fitting(picture, frame);
  return zoom({ scale, x: frame.width / 2 - middle.x * scale, y: frame.height / 2 - middle.y * scale }, 1, { x: 0, y: 0 }, picture, frame);
}

/** Moved just so far that a point is in sight. @param {View} view @param {Point} point  in the picture @param {number} margin @param {Size} picture @param {Size} frame */
export function reveal(view, point, margin, picture, frame) {
  const { x, y } = toFrame(view, point);
  const into = (/** @type {number} */ at, /** @type {number} */ long) => Math.max(margin - at, 0) + Math.min(long - margin - at, 0);
  return pan(view, into(x, frame.width), into(y, frame.height), picture, frame);
}
