// Bytes that are mostly alike, as labels are, made small for keeping, and back.

/** @param {Uint8Array} bytes @returns {Promise<Uint8Array<ArrayBuffer>>} */
export const deflate = (bytes) => through(bytes, new CompressionStream("deflate-raw"));

/** @param {Uint8Array} bytes @returns {Promise<Uint8Array<ArrayBuffer>>} */
export const inflate = (bytes) => through(bytes, new DecompressionStream("deflate-raw"));

/**
 * The bytes are copied at once: what is done to them afterwards changes nothing.
 * @param {Uint8Array} bytes @param {CompressionStream | DecompressionStream} stream
 */
async function through(bytes, stream) {
  const parts = new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (bytes)]).stream().pipeThrough(stream);
  return new Uint8Array(await new Response(parts).arrayBuffer());
}
