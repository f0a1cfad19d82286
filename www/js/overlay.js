// Draws a mask over its picture, at the picture's own resolution: a flat colour with a light edge, so that it can be
// told from the picture whatever the picture's colours.

/** @typedef {import("./mask.js").Box} Box */

// As a little-endian RGBA word; the same colour as --thing in the style sheet.
const FILL = 0xff752dff;
const EDGE = 0xffffffff;

/** The edge keeps about one width on the screen whatever the picture's size. @param {number} width @param {number} height */
const edgeWidth = (width, height) => Math.max(1, Math.round(Math.max(width, height) / 420));

/** @param {HTMLCanvasElement} canvas @param {Uint8Array} mask @param {Box} [box] */
export function drawMask(canvas, mask, box = { left: 0, top: 0, right: canvas.width, bottom: canvas.height }) {
  const { width, height } = canvas;
  const reach = edgeWidth(width, height);
  const left = Math.max(box.left - reach, 0);
  const top = Math.max(box.top - reach, 0);
  const wide = Math.min(box.right + reach, width) - left;
  const high = Math.min(box.bottom + reach, height) - top;
  if (wide <= 0 || high <= 0) return;
  const image = new ImageData(wide, high);
  const words = new Uint32Array(image.data.buffer);
  for (let y = 0; y < high; y++) {
    for (let x = 0; x < wide; x++) {
      if (mask[(top + y) * width + left + x]) words[y * wide + x] = isEdge(mask, width, height, left + x, top + y, reach) ? EDGE : FILL;
    }
  }
  canvas.getContext("2d")?.putImageData(image, left, top);
}

/** @param {Uint8Array} mask @param {number} width @param {number} height @param {number} x @param {number} y @param {number} reach */
function isEdge(mask, width, height, x, y, reach) {
  const at = y * width + x;
  return (
    (x >= reach && !mask[at - reach]) ||
    (x + reach < width && !mask[at + reach]) ||
    (y >= reach && !mask[at - reach * width]) ||
    (y + reach < height && !mask[at + reach * width])
  );
}

/** Each step-th pixel of each step-th row, for a screen that cannot show them all. @param {Uint8Array} mask @param {number} width @param {number} height @param {number} step */
export function thin(mask, width, height, step) {
  const [wide, high] = [Math.ceil(width / step), Math.ceil(height / step)];
  const few = new Uint8Array(wide * high);
  for (let y = 0; y < high; y++) {
    for (let x = 0; x < wide; x++) few[y * wide + x] = mask[y * step * width + x * step] ?? 0;
  }
  return { mask: few, width: wide, height: high };
}

/** The picture with everything but the thing made clear. @param {Blob} file @param {Uint8Array} mask @returns {Promise<Blob>} */
export async function cutOut(file, mask) {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d");
  if (!context) throw new Error("The browser has no room left to draw the cut-out. Close other pages and try again.");
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const image = context.getImageData(0, 0, canvas.width, canvas.height);
  for (let at = 0; at < mask.length; at++) image.data[4 * at + 3] = mask[at] ?? 0;
  context.putImageData(image, 0, 0);
  return canvas.convertToBlob({ type: "image/png" });
}
