// Photographs of twelve megapixels, painted, corrected and kept as a person does it, with an eye on how long the page's
// own thread is held up at each step.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { PATIENCE, card, clickOn, dragOver, drop, easel, launch, maskDoor, openCard, queryDoor, ready, showDoor } from "./browser.mjs";
import { encodePng } from "./png.mjs";
import { serve } from "./server.mjs";

/** @typedef {import("./browser.mjs").Place} Place */

const DIST = process.env["DIST"] ?? fileURLToPath(new URL("../../dist", import.meta.url));
const [WIDTH, HEIGHT] = [4000, 3000];

const folder = mkdtempSync(join(tmpdir(), "fewseg-large-"));
/** @type {Awaited<ReturnType<typeof serve>>} */
let server;
/** @type {import("playwright-core").Browser} */
let browser;
/** @type {import("playwright-core").Page} */
let page;
/** @type {string[]} */
let complaints = [];

/** A gray picture as large as a camera's. @param {string} name @param {(x: number, y: number) => number} gray */
function picture(name, gray) {
  const path = join(folder, name);
  const data = new Uint8Array(WIDTH * HEIGHT);
  for (let y = 0, at = 0; y < HEIGHT; y++) for (let x = 0; x < WIDTH; x++) data[at++] = gray(x, y);
  writeFileSync(path, encodePng({ width: WIDTH, height: HEIGHT, channels: 1, data }));
  return path;
}

/** Something bright in the middle. @param {number} x @param {number} y */
const scene = (x, y) => (Math.hypot(x - WIDTH / 2, y - HEIGHT / 2) < 900 ? 220 : 60 + (y >> 6));
/** Marks the left quarter. @param {number} x */
const quarter = (x) => (x < WIDTH / 4 ? 255 : 0);

/** The page's long tasks are gathered from here on, also after a reload. */
async function watchTasks() {
  await page.addInitScript(() => {
    const tasks = /** @type {number[]} */ ([]);
    Object.assign(window, { tasks });
    new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: "longtask" });
  });
}

/** Does something, waits for what comes of it, and prints the longest task of the page's thread meanwhile. @param {string} name @param {() => Promise<unknown>} action */
async function step(name, action) {
  await action();
  // The observer is told a moment later.
  await page.waitForTimeout(300);
  const tasks = await page.evaluate(() => /** @type {any} */ (window).tasks.splice(0));
  const longest = Math.max(0, ...tasks);
  console.log(`  ${name}: ${longest > 0 ? `longest task ${longest.toFixed(0)} ms` : "no long task"}`);
}

/** @param {string | RegExp} text  what the line below the tools says */
const painted = (text) => page.locator("#painted", { hasText: text }).waitFor();
const bare = "Nothing is painted yet.";

/** @param {Place[]} places */
const drag = (...places) => dragOver(page, places);
/** @param {Place} place */
const click = (place) => clickOn(page, place);

/** @param {string} key */
const press = (key) => page.keyboard.press(key);

/** @type {Place[]} */
const ROUND = [[0.02, 0.02], [0.98, 0.02], [0.98, 0.98], [0.02, 0.98], [0.02, 0.03]];

before(async () => {
  server = await serve(DIST);
  browser = await launch({ webgpu: false });
});
after(async () => {
  await browser.close();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});
afterEach(async () => {
  assert.deepEqual(complaints, []);
  await page.context().close();
});

async function open() {
  page = await (await browser.newContext({ viewport: { width: 1280, height: 900 } })).newPage();
  page.setDefaultTimeout(PATIENCE);
  complaints = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  await watchTasks();
  await page.goto(`${server.url}?device=cpu&size=64`);
  await ready(page);
}

test("painting: fill, undo, redo, clear, lasso, holes, a mask, a class that goes", { timeout: 3 * PATIENCE }, async () => {
  await open();
  const photo = picture("photo.png", scene);
  const mask = picture("photo-mask.png", quarter);
  await step("the page and the picture", async () => {
    await drop(page, showDoor(page), photo);
    await easel(page).waitFor();
    await painted(bare);
  });
  await easel(page).scrollIntoViewIfNeeded();
  await step("a stroke of the brush", async () => {
    await drag([0.3, 0.2], [0.7, 0.2], [0.7, 0.8]);
    await painted(/^thing \d/);
  });
  await step("undo by Ctrl+Z", async () => {
    await press("Control+z");
    await painted(bare);
  });
  await press("f");
  await step("a fill by a click", async () => {
    await click([0.5, 0.5]);
    await painted("thing 100 %");
  });
  await step("undo by Ctrl+Z", async () => {
    await press("Control+z");
    await painted(bare);
  });
  await step("redo by Ctrl+Shift+Z", async () => {
    await press("Control+Shift+z");
    await painted("thing 100 %");
  });
  await step("clear", async () => {
    await page.getByRole("button", { name: "Clear the painting" }).click();
    await painted(bare);
  });
  await step("a fill, and undo at once", async () => {
    await click([0.5, 0.5]);
    await press("Control+z");
    await page.locator("#redo:enabled").waitFor();
    await painted(bare);
  });
  await press("l");
  await step("the lasso round almost everything", async () => {
    await drag(...ROUND);
    await painted(/^thing 9\d/);
  });
  await press("e");
  await drag([0.5, 0.4], [0.5, 0.6]);
  await press("f");
  const holed = await page.locator("#painted").textContent();
  await step("the hole filled by a click beside it", async () => {
    await click([0.2, 0.5]);
    await page.waitForFunction((before) => document.querySelector("#painted")?.textContent !== before, holed);
    await painted(/^thing 9\d/);
  });
  await step("a mask from a file", async () => {
    await drop(page, maskDoor(page), mask);
    await painted("thing 25 %");
  });
  await step("learning", () => page.getByText("Ready. Your pictures stay on this machine.").waitFor());
  await step("a reload", async () => {
    await page.waitForTimeout(1500);
    await page.reload();
    await ready(page);
    await painted("thing 25 %");
  });
  await step("its class removed", async () => {
    await page.getByRole("button", { name: "Remove the class thing" }).click();
    await painted(bare);
  });
});

test("a result: corrected, kept, accepted, taught with", { timeout: 4 * PATIENCE }, async () => {
  await open();
  await drop(page, showDoor(page), picture("photo.png", scene), picture("photo-mask.png", quarter));
  await painted("thing 25 %");
  await step("looking through two pictures", async () => {
    await drop(page, queryDoor(page), picture("one.png", scene), picture("two.png", (x, y) => scene(x - 300, y)));
    await page.getByText("Done: 2 pictures looked through.").waitFor();
  });
  await step("the result on the easel", async () => {
    await openCard(page, "one.png");
    await page.getByText(/^one.png: (right\?|nothing found)/).waitFor();
  });
  await easel(page).scrollIntoViewIfNeeded();
  await page.getByRole("button", { name: "Clear the painting" }).click().catch(() => undefined);
  await painted(bare);
  await press("l");
  await step("a correction by the lasso, and another picture at once", async () => {
    await drag(...ROUND);
    await openCard(page, "two.png");
    await page.getByText(/^two.png: /).waitFor();
  });
  await step("back to it", async () => {
    await openCard(page, "one.png");
    await painted(/^thing 9\d/);
  });
  await step("accepted as soon as it is painted on", async () => {
    await press("f");
    await click([0.005, 0.5]);
    await page.getByRole("button", { name: "Accept", exact: true }).click();
    await page.getByText("one.png: corrected by you.").waitFor();
    await painted("thing 100 %");
  });
  await step("opened, corrected and taught with at once", async () => {
    await openCard(page, "two.png");
    await page.getByText(/^two.png: (right\?|nothing found)/).waitFor();
    await press("l");
    await drag(...ROUND);
    await painted(/^thing 9\d/);
    await page.getByRole("button", { name: "Teach" }).click();
    await page.getByRole("button", { name: /^two.png, painted: thing/ }).waitFor();
    await card(page, "two.png").getByText("Corrected by you").waitFor();
  });
  await step("a reload", async () => {
    await page.waitForTimeout(1500);
    await page.reload();
    await ready(page);
    await openCard(page, "one.png");
    await painted("thing 100 %");
  });
});
