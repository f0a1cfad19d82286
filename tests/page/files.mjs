// The files that the tests drop: the samples, and everything a user may bring by mistake, written to a temporary folder.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { crc, encodePng } from "./png.mjs";

/** @param {string} path */
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** @param {string} name */
export const sample = (name) => here(`../../www/samples/${name}`);
/** Where the duck is in a sample that is looked through. @param {string} name */
export const truth = (name) => here(`samples/${name}-mask.png`);

const folder = mkdtempSync(join(tmpdir(), "fewseg-page-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

/** @param {string} name @param {string | Uint8Array} body */
function write(name, body) {
  const path = join(folder, name);
  writeFileSync(path, body);
  return path;
}

/** @param {number} width @param {number} height @param {number} value */
const flat = (width, height, value) => encodePng({ width, height, channels: 1, data: new Uint8Array(width * height).fill(value) });

/** A PNG whose header promises far more than its body holds. @param {number} side */
function claims(side) {
  const file = flat(8, 8, 0);
  const { width, height, channels, data } = { width: side, height: 1, channels: 1, data: new Uint8Array(side) };
  const wide = encodePng({ width, height, channels, data });
  // The header of a side × 1 picture, with the height raised and its check sum made right again.
  const header = Buffer.from(wide.subarray(0, 33));
  header.writeUInt32BE(side, 20);
  header.writeUInt32BE(crc(header.subarray(12, 29)), 29);
  return Buffer.concat([header, file.subarray(33)]);
}

/** The picture as a camera held upright writes it: lying, with the word that it has to be turned. @param {Buffer} jpeg */
function lying(jpeg) {
  const exif = Buffer.from("457869660000" + "4d4d002a00000008" + "0001" + "011200030000000100060000" + "00000000", "hex");
  const head = Buffer.from([0xff, 0xe1, 0, exif.length + 2]);
  return Buffer.concat([jpeg.subarray(0, 2), head, exif, jpeg.subarray(2)]);
}

/** A weight file of the right format and of some other program. */
function otherWeights() {
  const header = Buffer.from(JSON.stringify({ __metadata__: { format: "pt" }, "encoder.weight": { dtype: "F32", shape: [2], data_offsets: [0, 8] } }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, Buffer.alloc(8)]);
}

export const weights = here("../../weights/default.safetensors");

/** The weights of the page with a tensor under another name: ours by the header, and of another model. */
function renamedWeights() {
  const file = readFileSync(weights);
  const name = Buffer.from('"backbone.blocks.0.depthwise.bias"');
  return Buffer.from(file.fill('"backbone.blocks.0.depthwise.fuzz"', file.indexOf(name), file.indexOf(name) + name.length));
}

export const upright = write("upright.jpg", lying(readFileSync(sample("bathroom.jpg"))));
export const notAPicture = write("notes.txt", "Buy bread.\n");
export const disguised = write("disguised.jpg", "Buy bread, and call it a picture.\n");
export const tooLarge = write("poster.png", claims(40_000));
export const truncated = write("broken.jpg", readFileSync(sample("lawn.jpg")).subarray(0, 9_000));
export const emptyMask = write("nothing-mask.png", flat(480, 360, 0));
export const otherSizeMask = write("small-mask.png", flat(240, 180, 255));
export const orphanMask = write("swan-mask.png", flat(480, 360, 255));
export const checkpoint = write("best.pt", "PK");
export const onnx = write("net.onnx", "onnx");
export const foreignWeights = write("other.safetensors", otherWeights());
export const brokenWeights = write("cut.safetensors", otherWeights().subarray(0, 20));
export const otherModel = write("model.safetensors", renamedWeights());
