// Bytes that are mostly alike, as labels are, made small for keeping, and back.
import { pause } from "./slices.js";

/** Of labels that are all alike these few bytes become a thousand times as many, at one go and on the page's own thread. */
const PIECE = 2048;

/** The bytes are copied at once: what is done to them afterwards changes nothing. @param {Uint8Array} bytes @returns {Promise<Uint8Array<ArrayBuffer>>} */
export function deflate(bytes) {
  const file = new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (bytes)]);
  return all(file.stream().pipeThrough(new CompressionStream("deflate-raw")));
}

/** @param {Uint8Array} bytes @returns {Promise<Uint8Array<ArrayBuffer>>} */
export async function inflate(bytes) {
  const { readable, writable } = new DecompressionStream("deflate-raw");
  const [inflated] = await Promise.all([all(readable), feed(writable, bytes)]);
  return inflated;
}

/** @param {WritableStream<BufferSource>} stream @param {Uint8Array} bytes */
async function feed(stream, bytes) {
  const writer = stream.getWriter();
  for (let at = 0; at < bytes.length; at += PIECE) {
    await writer.write(/** @type {Uint8Array<ArrayBuffer>} */ (bytes.subarray(at, at + PIECE)));
    await pause();
  }
  await writer.close();
}

/** @param {ReadableStream<Uint8Array<ArrayBuffer>>} stream */
const all = async (stream) => new Uint8Array(await new Response(stream).arrayBuffer());
