// PNG files, read and written: 8 bits a channel, not interlaced. That is all that the samples and the tests need,
// and it keeps them from trusting the very decoder they test.
import { crc32, deflateSync, inflateSync } from "node:zlib";

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** channels by PNG colour type: grey, RGB, grey + alpha, RGB + alpha, places in a palette */
const CHANNELS = new Map([[0, 1], [2, 3], [4, 2], [6, 4], [3, 1]]);

/** @typedef {{ width: number, height: number, channels: number, data: Uint8Array }} Picture */

/** @param {string} type @param {Uint8Array} body */
function chunk(type, body) {
  const named = Buffer.concat([Buffer.from(type, "latin1"), body]);
  const length = Buffer.alloc(4);
  const check = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  check.writeUInt32BE(crc(named));
  return Buffer.concat([length, named, check]);
}

/** node:zlib has crc32 since 20.15 only. @param {Uint8Array} bytes */
export function crc(bytes) {
  if (crc32) return crc32(bytes);
  let value = ~0;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
  }
  return ~value >>> 0;
}

/** @param {Picture} picture */
export function encodePng({ width, height, channels, data }) {
  const colour = [...CHANNELS].find(([, count]) => count === channels)?.[0];
  if (colour === undefined) throw new Error(`no PNG has ${channels} channels`);
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, colour], 8);
  const stride = width * channels;
  const rows = Buffer.alloc((stride + 1) * height);
  for (let y = 0; y < height; y++) rows.set(data.subarray(y * stride, (y + 1) * stride), y * (stride + 1) + 1);
  return Buffer.concat([
    SIGNATURE,
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows, { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** @param {Buffer} file @returns {Picture} */
export function decodePng(file) {
  if (!file.subarray(0, 8).equals(SIGNATURE)) throw new Error("not a PNG");
  const width = file.readUInt32BE(16);
  const height = file.readUInt32BE(20);
  const channels = CHANNELS.get(file[25] ?? -1);
  if (file[24] !== 8 || channels === undefined || file[28] !== 0) throw new Error("a kind of PNG not read here");
  const parts = [];
  for (let at = 8; at < file.length; ) {
    const length = file.readUInt32BE(at);
    if (file.toString("latin1", at + 4, at + 8) === "IDAT") parts.push(file.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  const data = unfilter(inflateSync(Buffer.concat(parts)), width * channels, height, channels);
  return { width, height, channels, data };
}

/** @param {Uint8Array} rows @param {number} stride @param {number} height @param {number} step */
function unfilter(rows, stride, height, step) {
  const data = new Uint8Array(stride * height);
  for (let y = 0; y < height; y++) {
    const kind = rows[y * (stride + 1)];
    for (let x = 0; x < stride; x++) {
      const left = x >= step ? data[y * stride + x - step] ?? 0 : 0;
      const up = y > 0 ? data[(y - 1) * stride + x] ?? 0 : 0;
      const corner = x >= step && y > 0 ? data[(y - 1) * stride + x - step] ?? 0 : 0;
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][kind ?? 0] ?? 0;
      data[y * stride + x] = (rows[y * (stride + 1) + 1 + x] ?? 0) + guess;
    }
  }
  return data;
}

/** @param {number} left @param {number} up @param {number} corner */
function paeth(left, up, corner) {
  const toLeft = Math.abs(up - corner);
  const toUp = Math.abs(left - corner);
  const toCorner = Math.abs(left + up - 2 * corner);
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}
