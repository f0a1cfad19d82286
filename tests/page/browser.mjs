// A browser for the tests, and a user at it: drops files, paints with the mouse, reads what the page says.
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";
import { decodePng } from "./png.mjs";

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("playwright-core").Locator} Locator */
/** @typedef {{ width: number, height: number, data: Uint8Array }} Mask */
/** @typedef {[number, number]} Place  0 to 1, across and down the easel */

const QUIET = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const WEBGPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];
const NO_WEBGPU = ["--disable-features=WebGPU", "--disable-blink-features=WebGPU"];

const CAMERA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];

/** SwiftShader on a busy machine is slow; a hung page still fails. */
export const PATIENCE = 240_000;

/** @param {{ webgpu: boolean, camera?: string }} wish  camera: a video that it shows instead of asking for one */
export const launch = ({ webgpu, camera }) =>
  chromium.launch({
    executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
    args: [...QUIET, ...(webgpu ? WEBGPU : NO_WEBGPU), ...(camera ? [...CAMERA, `--use-file-for-fake-video-capture=${camera}`] : [])],
  });

/**
 * Real files from the disk, dropped by the browser's own drag and drop onto whatever is visible there.
 * @param {Page} page @param {Locator} target @param {...string} files
 */
export const drop = (page, target, ...files) => dropAt(page, target, 0.5, ...files);

/** @param {Page} page @param {Locator} target @param {number} across  where on the target: 0 is its left edge, 1 its right @param {...string} files */
export async function dropAt(page, target, across, ...files) {
  await target.scrollIntoViewIfNeeded();
  const box = await target.boundingBox();
  if (!box) throw new Error("nothing to drop on");
  const devtools = await page.context().newCDPSession(page);
  const data = { items: [], files, dragOperationsMask: 1 };
  const at = { x: box.x + box.width * across, y: box.y + box.height / 2, data };
  await devtools.send("Input.dispatchDragEvent", { type: "dragEnter", ...at });
  await devtools.send("Input.dispatchDragEvent", { type: "dragOver", ...at });
  await devtools.send("Input.dispatchDragEvent", { type: "drop", ...at });
  await devtools.detach();
}

/** @param {Page} page */
export const showDoor = (page) => page.locator("label", { hasText: /picture of the thing|picture that shows it/ });
/** @param {Page} page */
export const queryDoor = (page) => page.locator("label", { hasText: /pictures to look through|Add more pictures/ });
/** @param {Page} page */
export const maskDoor = (page) => page.locator("label", { hasText: "Mask from a file" });
/** @param {Page} page */
export const easel = (page) => page.getByLabel(/^(Paint on|Ask about) /);
/** @param {Page} page @param {string} name */
export const card = (page, name) => page.getByRole("row").filter({ has: page.getByText(name, { exact: true }) });

/** Puts a result on the easel, as a click does. @param {Page} page @param {string} name */
export const openCard = (page, name) => card(page, name).getByText(name, { exact: true }).click();

/** @param {Page} page */
export const ready = (page) => page.getByText(/^(GPU|CPU)$/).first().waitFor({ timeout: PATIENCE });

/** Waits until a picture has been looked through, and insists that something was found. @param {Page} page @param {string} name */
export async function found(page, name) {
  const outcome = card(page, name).getByText(/^(Found, |Not found here)/);
  await outcome.waitFor({ timeout: PATIENCE });
  const words = await outcome.textContent();
  if (!words?.startsWith("Found")) throw new Error(`${name}: ${words}`);
}

/** What is downloaded when the user asks for the mask of a picture. @param {Page} page @param {string} name @returns {Promise<Mask>} */
export async function downloadMask(page, name) {
  await openCard(page, name);
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: `Download the mask of ${name} as PNG` }).click();
  const file = await download;
  await page.getByRole("button", { name: "Back to the painted" }).click();
  if (file.suggestedFilename() !== name.replace(/\.\w+$/, "-mask.png")) throw new Error(`saved as ${file.suggestedFilename()}`);
  return readMask(await file.path());
}

/** One byte a pixel, whatever the PNG's channels. @param {string | URL} path @returns {Mask} */
export function readMask(path) {
  const { width, height, channels, data } = decodePng(readFileSync(path));
  return { width, height, data: Uint8Array.from({ length: width * height }, (_, at) => data[at * channels] ?? 0) };
}

/** Intersection over union. @param {Mask} a @param {Mask} b */
export function overlap(a, b) {
  if (a.width !== b.width || a.height !== b.height) throw new Error(`${a.width} × ${a.height} against ${b.width} × ${b.height}`);
  let both = 0;
  let either = 0;
  a.data.forEach((value, at) => {
    const [one, other] = [value > 127, (b.data[at] ?? 0) > 127];
    both += Number(one && other);
    either += Number(one || other);
  });
  return both / either;
}

/** The stretches of a row that are in the mask. @param {Mask} mask @param {number} y */
function runs({ width, data }, y) {
  const stretches = [];
  for (let x = 0, start = -1; x <= width; x++) {
    const inside = x < width && (data[y * width + x] ?? 0) > 127;
    if (inside && start < 0) start = x;
    if (!inside && start >= 0) {
      stretches.push({ from: start, to: x });
      start = -1;
    }
  }
  return stretches;
}

/** Fills a shape with the mouse, stroke by stroke, staying inside it by the brush's radius. @param {Page} page @param {Mask} mask @param {number} radius in pixels of the picture */
export async function paint(page, mask, radius) {
  const box = await easel(page).boundingBox();
  if (!box) throw new Error("no easel");
  const scale = box.width / mask.width;
  for (let y = Math.ceil(radius); y < mask.height - radius; y += Math.ceil(radius)) {
    for (const { from, to } of runs(mask, y)) {
      if (to - from < 3 * radius) continue;
      await page.mouse.move(box.x + (from + radius) * scale, box.y + y * scale);
      await page.mouse.down();
      await page.mouse.move(box.x + (to - radius) * scale, box.y + y * scale, { steps: 4 });
      await page.mouse.up();
    }
  }
}

/** Paints over what the brush reaches of a shape, in a spiral from its middle. @param {Page} page @param {Mask} shape @param {() => Promise<void>} [halfway]  what is done in between */
export async function paintOver(page, { width, data }, halfway = async () => {}) {
  const box = await easel(page).boundingBox();
  if (!box) throw new Error("no easel");
  const inside = [...data.keys()].filter((at) => data[at]);
  const mean = (/** @type {(at: number) => number} */ of) => inside.reduce((sum, at) => sum + of(at), 0) / inside.length;
  const scale = box.width / width;
  const middle = { x: box.x + scale * mean((at) => at % width), y: box.y + scale * mean((at) => Math.floor(at / width)) };
  const reach = 0.7 * scale * Math.sqrt(inside.length / Math.PI);
  await page.mouse.move(middle.x, middle.y);
  await page.mouse.down();
  for (let turn = 0; turn < 60; turn++) {
    const out = (reach * turn) / 60;
    await page.mouse.move(middle.x + out * Math.cos(turn), middle.y + out * Math.sin(turn));
    if (turn === 30) await halfway();
  }
  await page.mouse.up();
}

/** Where on the screen a place of the easel is. @param {Page} page @param {Place} place */
export async function placeOn(page, [across, down]) {
  const box = await easel(page).boundingBox();
  if (!box) throw new Error("no easel");
  return { x: box.x + across * box.width, y: box.y + down * box.height };
}

/** @param {Page} page @param {Place[]} places */
export async function dragOver(page, places) {
  for (const [step, place] of places.entries()) {
    const { x, y } = await placeOn(page, place);
    await page.mouse.move(x, y, { steps: 5 });
    if (step === 0) await page.mouse.down();
  }
  await page.mouse.up();
}

/** @param {Page} page @param {Place} place */
export async function clickOn(page, place) {
  const { x, y } = await placeOn(page, place);
  await page.mouse.click(x, y);
}
