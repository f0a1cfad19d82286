// Takes the pictures of the README from the page itself: docs/page.png, and docs/loop.gif of one turn of the loop.
// Usage: node tests/page/screenshots.mjs, after `make page`.
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import gifenc from "gifenc";
import { card, launch, openCard, paintOver, readMask, ready } from "./browser.mjs";
import { decodePng } from "./png.mjs";
import { serve } from "./server.mjs";

const { GIFEncoder, applyPalette, quantize } = gifenc;

/** @param {string} path */
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const DOCS = here("../../docs/");
/** Milliseconds a picture of the loop is seen. */
const SEEN = 1100;

const server = await serve(here("../../dist"));
const browser = await launch({ webgpu: false });
const page = await browser.newPage({ viewport: { width: 1180, height: 860 }, serviceWorkers: "block" });
const gif = GIFEncoder();

/** A picture of the loop, half as large. @param {number} [seen] */
async function frame(seen = SEEN) {
  const { width, height, channels, data } = decodePng(await page.screenshot());
  const [wide, high] = [Math.floor(width / 2), Math.floor(height / 2)];
  const small = new Uint8Array(wide * high * 4).fill(255);
  for (let at = 0; at < wide * high; at++) {
    const [x, y] = [2 * (at % wide), 2 * Math.floor(at / wide)];
    for (let channel = 0; channel < 3; channel++) {
      const value = (/** @type {number} */ dx, /** @type {number} */ dy) => data[((y + dy) * width + x + dx) * channels + channel] ?? 0;
      small[4 * at + channel] = (value(0, 0) + value(1, 0) + value(0, 1) + value(1, 1)) / 4;
    }
  }
  const palette = quantize(small, 128);
  gif.writeFrame(applyPalette(small, palette), wide, high, { palette, delay: seen });
}

const done = (/** @type {number} */ count) => page.getByText(`Done: ${count} pictures looked through.`).waitFor({ timeout: 240_000 });

await page.goto(`${server.url}?device=cpu`);
await ready(page);
await page.getByRole("button", { name: "Several things at once" }).click();
await done(3);
await card(page, "lawn.jpg").locator("canvas").waitFor();
await page.waitForTimeout(1500);
await page.screenshot({ path: `${DOCS}page.png` });

await page.reload();
await page.getByRole("button", { name: /^Device, network/ }).click();
await page.getByRole("button", { name: "Forget everything" }).click();
await page.getByRole("button", { name: "Really? Click once more" }).click();
await page.getByRole("button", { name: "A hard one, to teach" }).waitFor();
await ready(page);
await frame();
await page.getByRole("button", { name: "A hard one, to teach" }).click();
await done(3);
await page.waitForTimeout(1500);
await frame();
await openCard(page, "picnic.jpg");
await page.getByText(/Correct it and teach|Paint what was missed/).waitFor();
await page.waitForTimeout(500);
await frame();
await page.getByRole("button", { name: "Clear the painting" }).click();
const { width, height, data } = readMask(here("../../www/samples/picnic-labels.png"));
await paintOver(page, { width, height, data: data.map((label) => (label === 1 ? 255 : 0)) }, () => frame(400));
await frame();
await page.getByRole("button", { name: "Teach" }).click();
await done(3);
await page.waitForTimeout(1500);
await frame(2500);
gif.finish();
writeFileSync(`${DOCS}loop.gif`, gif.bytes());
await browser.close();
await server.close();
