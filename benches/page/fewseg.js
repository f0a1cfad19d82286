// Times fewseg in a worker of its own, as its page has it: a shot is learned, then queries follow one another. Decoding
// the picture and reading what was found are part of a query, as they are for the person at the page.
import init, { Session } from "./fewseg/fewseg.js";

const CLASSES = [{ number: 1, name: "thing", colour: "#ff0000" }];
const quiet = () => undefined;

/** A picture of noise, as PNG. @param {number} side */
async function picture(side) {
  const canvas = new OffscreenCanvas(side, side);
  const image = new ImageData(side, side);
  for (let at = 0; at < image.data.length; at++) image.data[at] = at % 4 === 3 ? 255 : 256 * Math.random();
  canvas.getContext("2d")?.putImageData(image, 0, 0);
  return new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer());
}

/** @param {{ device: "webgpu" | "cpu", side: number, runs: number }} ask */
async function time({ device, side, runs }) {
  await init();
  const weights = await (await fetch("./fewseg/weights/default.safetensors")).arrayBuffer();
  const session = await Session.open(new Uint8Array(weights), device, side);
  const labels = new Uint8Array(side * side).fill(1, 0, (side * side) / 2);
  await session.learn(CLASSES, [{ key: "shot", name: "shot.png", picture: await picture(side), labels }], false, quiet);
  const query = await picture(side);
  const milliseconds = [];
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    await session.segment("query.png", query, quiet);
    milliseconds.push(performance.now() - start);
  }
  return { adapter: session.info().adapter, milliseconds };
}

self.addEventListener("message", ({ data }) => {
  time(data).then((found) => self.postMessage(found), (error) => self.postMessage({ trouble: String(error) }));
});
