// Makes small pictures of large ones, away from the page's own thread: decoding a photograph takes a tenth of a second.

/** Where a picture is clear, the small one is white: JPEG knows no clear. */
const BEHIND = "#fff";
const QUALITY = 0.82;

/** @typedef {{ file: Blob, width: number, height: number }} Question  the size is the small one's */
/** @typedef {{ thumb?: Blob }} Reply  without one where the file is no picture */

/** @param {Question} question */
async function shrink({ file, width, height }) {
  const bitmap = await createImageBitmap(file, { resizeWidth: width, resizeHeight: height, resizeQuality: "medium" });
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  if (!context) return undefined;
  context.fillStyle = BEHIND;
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY });
}

self.addEventListener("message", async (/** @type {MessageEvent<Question>} */ { data }) => {
  const thumb = await shrink(data).catch(() => undefined);
  self.postMessage(/** @type {Reply} */ ({ thumb }));
});
