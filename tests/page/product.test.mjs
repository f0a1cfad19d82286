// What the page is for, row by row, used as a person uses it: several classes, the loop of correcting and teaching,
// seeing why, the camera, everything out and read back, tasks, networks, and nothing lost.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { PATIENCE, card, downloadMask, drop, easel, launch, openCard, overlap, paintOver, queryDoor, readMask, ready, showDoor } from "./browser.mjs";
import * as files from "./files.mjs";
import { encodePng } from "./png.mjs";
import { serve } from "./server.mjs";

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("./browser.mjs").Mask} Mask */

/** @param {string} path */
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const DIST = process.env["DIST"] ?? here("../../dist");
const SHOTS = here("shots/");
const READERS = here("../../target/readers/bin/python");
const FEWSEG = here("../../target/debug/fewseg");
/** The network sees the same as in use, and small enough for a busy machine. */
const SIZE = 256;
/** What a camera would see: the same picture again and again. */
const FRAMES = 12;

const folder = mkdtempSync(join(tmpdir(), "fewseg-product-"));
const camera = join(folder, "camera.mjpeg");
writeFileSync(camera, Buffer.concat(Array.from({ length: FRAMES }, () => readFileSync(files.sample("bathroom.jpg")))));

/** @type {Awaited<ReturnType<typeof serve>>} */
let server;
/** @type {import("playwright-core").Browser} */
let browser;
/** @type {import("playwright-core").BrowserContext} */
let context;
/** @type {Page} */
let page;
/** @type {string[]} */
let complaints = [];

/** @param {string} query @param {Parameters<typeof browser.newContext>[0]} [settings] */
async function open(query, settings = {}) {
  context = await browser.newContext({ acceptDownloads: true, viewport: { width: 1280, height: 900 }, ...settings });
  await visit(query);
}

/** @param {string} query */
async function visit(query) {
  page = await context.newPage();
  page.setDefaultTimeout(60_000);
  complaints = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  await page.goto(`${server.url}${query}`);
}

/** The labels of a sample: 1 duck, 2 mug, 3 ball. @param {string} name @param {number} label @returns {Mask} */
function truth(name, label) {
  const path = ["picnic", "lawn"].includes(name) ? files.sample(`${name}-labels.png`) : here(`samples/${name}-labels.png`);
  const { width, height, data } = readMask(path);
  return { width, height, data: data.map((value) => (value === label ? 255 : 0)) };
}

/** @param {Mask} labels @param {number} number @returns {Mask} */
const only = ({ width, height, data }, number) => ({ width, height, data: data.map((value) => (value === number ? 255 : 0)) });

async function showTheDuck() {
  await drop(page, showDoor(page), files.sample("duck.jpg"), files.sample("duck-mask.png"));
  await page.getByText(/^18 % of duck.jpg is painted/).waitFor();
}

/** @param {number} count */
const done = (count) => page.getByText(`Done: ${count} ${count === 1 ? "picture" : "pictures"} looked through.`).waitFor({ timeout: PATIENCE });

before(async () => {
  server = await serve(DIST);
  mkdirSync(SHOTS, { recursive: true });
  browser = await launch({ webgpu: true, camera });
});
after(async () => {
  await browser.close();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});
afterEach(async () => {
  assert.deepEqual(complaints, []);
  await context.close();
});

describe("classes", () => {
  test("several are found at once, each pixel in one of them", { timeout: PATIENCE }, async () => {
    await open(`?device=cpu&size=${SIZE}`);
    await ready(page);
    await page.getByRole("button", { name: "Several things at once" }).click();
    await done(3);
    const lawn = await downloadMask(page, "lawn.jpg");
    assert.deepEqual([...new Set(lawn.data)].filter((value) => value > 3), [], "numbers of classes and nothing else");
    const duck = overlap(only(lawn, 1), truth("lawn", 1));
    console.log(`  overlap of the duck among others: ${duck.toFixed(3)}`);
    assert.ok(duck >= 0.4, `overlap ${duck}`);
    await page.screenshot({ path: `${SHOTS}classes-1280.png`, fullPage: true });
  });

  test("they are named, hidden and removed", { timeout: PATIENCE }, async () => {
    await open("?device=cpu&size=64");
    await showTheDuck();
    await page.getByRole("button", { name: "Class", exact: true }).click();
    await page.getByLabel("Name of class 2").fill("pond");
    await page.getByLabel("Name of class 2").press("Enter");
    await page.getByLabel("Paint pond").check({ force: true });
    await easel(page).focus();
    await page.keyboard.press("Space");
    await page.getByRole("button", { name: /^duck.jpg, painted: thing, pond/ }).waitFor();
    await page.getByRole("button", { name: "Hide pond" }).click();
    assert.equal(await page.getByRole("button", { name: "Hide pond" }).getAttribute("aria-pressed"), "true");
    await page.getByRole("button", { name: "Remove the class pond" }).click();
    await page.getByRole("button", { name: /^duck.jpg, painted: thing$/ }).waitFor();
  });
});

describe("a lesson", () => {
  test("brings only the pictures that the session does not know", { timeout: 2 * PATIENCE }, async () => {
    await open("?device=cpu&size=64");
    await page.addInitScript(() => {
      /** @type {number[][]} */
      const brought = [];
      const { postMessage } = Worker.prototype;
      Worker.prototype.postMessage = function (/** @type {any} */ message, /** @type {any[]} */ ...others) {
        if (message.name === "learn") brought.push(message.ask.shots.map((/** @type {any} */ { labels }) => labels?.length ?? 0));
        return postMessage.call(this, message, ...others);
      };
      Object.assign(window, { brought });
    });
    await page.reload();
    await ready(page);
    /** @param {number[][]} expected */
    const lessons = async (expected) => {
      await page.waitForFunction((count) => /** @type {any} */ (window).brought.length >= count, expected.length, { timeout: PATIENCE });
      assert.deepEqual(await page.evaluate(() => /** @type {any} */ (window).brought), expected);
    };
    const whole = 480 * 360;
    await showTheDuck();
    await drop(page, queryDoor(page), files.sample("lawn.jpg"));
    await done(1);
    const story = [[whole]];
    await lessons(story);
    await drop(page, showDoor(page), files.sample("picnic.jpg"), files.truth("picnic"));
    await page.getByRole("button", { name: /^picnic.jpg, painted/ }).waitFor();
    await lessons((story.push([0, whole]), story));
    await done(1);
    await easel(page).focus();
    await page.keyboard.press("e");
    await page.keyboard.press("Space");
    await lessons((story.push([0, whole]), story));
    await done(1);

    // Another engine knows nothing, nor does another network.
    await page.workers()[0]?.evaluate(() => void setTimeout(() => { throw new WebAssembly.RuntimeError("memory access out of bounds"); }));
    await page.getByRole("button", { name: "Start again" }).click();
    await lessons((story.push([whole, whole]), story));
    const mine = join(folder, "again.safetensors");
    copyFileSync(files.weights, mine);
    await ready(page);
    await drop(page, queryDoor(page), mine);
    await lessons((story.push([whole, whole]), story));
    await drop(page, queryDoor(page), files.sample("bathroom.jpg"));
    await done(2);
    console.log(`  labels of two supports that came with each lesson: ${story.map((labels) => labels.reduce((sum, one) => sum + one, 0)).join(", ")} bytes`);
  });

  test("an opened task does not look for a class that was removed, nor gives its number to another", { timeout: 2 * PATIENCE }, async () => {
    await open("?device=cpu&size=128");
    await page.getByRole("button", { name: "Several things at once" }).click();
    await done(3);
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Task", exact: true }).click();
    const task = join(folder, "table.fewseg");
    await (await download).saveAs(task);
    await context.close();

    await open("?device=cpu&size=128");
    await ready(page);
    await drop(page, showDoor(page), task);
    await page.getByText(/Working from the task table.fewseg/).waitFor();
    await drop(page, queryDoor(page), files.sample("lawn.jpg"));
    await done(1);
    const numbers = async () => [...new Set((await downloadMask(page, "lawn.jpg")).data)].sort();
    assert.ok((await numbers()).includes(1), "the duck is found");
    await page.getByRole("button", { name: "Remove the class duck" }).click();
    await done(1);
    assert.ok(!(await numbers()).includes(1), "the duck is not looked for");
    await page.waitForTimeout(500);
    await page.reload();
    await ready(page);
    await page.getByRole("button", { name: "Class", exact: true }).click();
    await page.getByLabel("Name of class 4").fill("pond");
    await page.getByLabel("Name of class 4").press("Enter");
    await page.getByRole("button", { name: "Remove the class pond" }).click();
    await done(1);
    assert.ok(!(await numbers()).includes(1), "nor is it after a reload");
    for (const name of ["mug", "ball"]) await page.getByRole("button", { name: `Remove the class ${name}` }).click();
    await page.getByText(/Working from the task/).waitFor({ state: "hidden" });
    await card(page, "lawn.jpg").getByText("Waiting for you to paint the thing").waitFor();
    // What is painted now is learned by itself.
    await drop(page, showDoor(page), files.sample("duck.jpg"), files.sample("duck-mask.png"));
    await done(1);
    assert.equal(await page.getByRole("alert").count(), 0);
  });
});

describe("annotations that come with their pictures", () => {
  /** A square about the duck, as LabelMe writes it. */
  const labelme = JSON.stringify({
    version: "5.5.0", flags: {}, imagePath: "duck.jpg", imageData: null, imageHeight: 360, imageWidth: 480,
    shapes: [{ label: "rubber duck", points: [[120, 60], [360, 60], [360, 300], [120, 300]], group_id: null, shape_type: "polygon", flags: {} }],
  });
  const coco = JSON.stringify({
    images: [{ id: 7, file_name: "photos/duck.jpg", width: 480, height: 360 }],
    categories: [{ id: 3, name: "rubber duck" }],
    annotations: [{ id: 1, image_id: 7, category_id: 3, iscrowd: 0, area: 57600, bbox: [120, 60, 240, 240], segmentation: [[120, 60, 360, 60, 360, 300, 120, 300]] }],
  });
  for (const [kind, name, body] of /** @type {const} */ ([["LabelMe", "duck.json", labelme], ["COCO", "instances.json", coco]])) {
    test(`${kind} JSON names the class and paints it`, { timeout: PATIENCE }, async () => {
      writeFileSync(join(folder, name), body);
      await open("?device=cpu&size=64");
      await drop(page, showDoor(page), files.sample("duck.jpg"), join(folder, name));
      await page.getByText(/^33 % of duck.jpg is painted/).waitFor();
      await page.getByRole("button", { name: "duck.jpg, painted: rubber duck" }).waitFor();
    });

    test(`${kind} JSON is chosen as a mask is`, { timeout: PATIENCE }, async () => {
      writeFileSync(join(folder, name), body);
      await open("?device=cpu&size=64");
      await drop(page, showDoor(page), files.sample("duck.jpg"));
      const input = page.getByLabel("Choose a mask PNG, LabelMe JSON or COCO JSON");
      assert.match((await input.getAttribute("accept")) ?? "", /\.json/);
      await page.getByText(/^Nothing is painted in duck.jpg yet/).waitFor();
      await input.setInputFiles(join(folder, name));
      await page.getByRole("button", { name: "duck.jpg, painted: rubber duck" }).waitFor();
    });
  }
});

describe("the loop", () => {
  test("a corrected result teaches, an accepted one stays as it is", { timeout: PATIENCE }, async () => {
    await open(`?device=cpu&size=${SIZE}`);
    await ready(page);
    await page.getByRole("button", { name: "A hard one, to teach" }).click();
    await done(3);
    const accepted = await downloadMask(page, "bathroom.jpg");
    await page.getByRole("button", { name: "Accept bathroom.jpg" }).click();
    await card(page, "bathroom.jpg").getByText(/^Accepted/).waitFor();
    const before = overlap(await downloadMask(page, "duck.jpg"), truth("duck", 1));

    await openCard(page, "picnic.jpg");
    await page.getByText(/Correct it and teach|Paint what was missed/).waitFor({ timeout: PATIENCE });
    await page.getByRole("button", { name: "Clear the painting" }).click();
    await page.getByLabel("Brush size").fill("40");
    await paintOver(page, truth("picnic", 1));
    await page.getByRole("button", { name: "Teach" }).click();
    await card(page, "picnic.jpg").getByText("Corrected by you").waitFor();
    await page.getByRole("button", { name: /^picnic.jpg, painted/ }).waitFor();
    await done(3);
    const corrected = overlap(await downloadMask(page, "picnic.jpg"), truth("picnic", 1));
    const after = overlap(await downloadMask(page, "duck.jpg"), truth("duck", 1));
    console.log(`  overlap in the corrected picture ${corrected.toFixed(3)}; in another ${before.toFixed(3)} before it was taught, ${after.toFixed(3)} since`);
    assert.ok(corrected > 0.5, `${corrected}`);
    assert.ok(after > before, `${before} before, ${after} after`);
    assert.deepEqual(await downloadMask(page, "bathroom.jpg"), accepted);
    await page.getByRole("button", { name: "Accept bathroom.jpg" }).click();
    await done(3);
    assert.notDeepEqual(await downloadMask(page, "bathroom.jpg"), accepted, "no longer accepted, it is looked through with what was taught");
  });
});

describe("why", () => {
  const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };

  /** A result on the easel, to ask about. @param {Parameters<typeof open>[1]} [settings] */
  async function result(settings) {
    await open(`?device=cpu&size=${SIZE}`, settings);
    await ready(page);
    await page.getByRole("button", { name: "Try the duck" }).click();
    await done(3);
    await openCard(page, "bathroom.jpg");
    await easel(page).waitFor();
  }

  const why = () => page.getByRole("button", { name: "Why?" });
  const answer = (/** @type {string} */ level) => page.getByRole("figure", { name: new RegExp(`^duck.jpg, ${level} level: most alike at \\d+\\s% across, \\d+\\s% down`) });
  const answered = () => Promise.all(["fine", "middle", "coarse"].map((level) => answer(level).waitFor()));

  /** Which place the answer is about, in percent of the picture. */
  async function asked() {
    const words = (await page.getByText(/^Where the painted pictures of “duck” look like the place/).textContent()) ?? "";
    const [across = NaN, down = NaN] = [...words.matchAll(/(\d+)\s%/g)].map(([, number]) => Number(number));
    return { across, down };
  }

  /** Where the mark of the question is in the picture, by what is on the screen, in percent. */
  const marked = () => page.evaluate(() => {
    const [mark, picture] = ["why-mark", "easel-picture"].map((id) => document.getElementById(id)?.getBoundingClientRect());
    if (!mark?.width || !picture) return undefined;
    return { across: 100 * (mark.x + mark.width / 2 - picture.x) / picture.width, down: 100 * (mark.y + mark.height / 2 - picture.y) / picture.height };
  });

  async function markIsWhereWasAsked() {
    const [mark, question] = [await marked(), await asked()];
    assert.ok(mark && Math.abs(mark.across - question.across) < 1 && Math.abs(mark.down - question.down) < 1, `asked ${JSON.stringify(question)}, marked ${JSON.stringify(mark)}`);
  }

  test("the place that is pointed at is found in the painted picture, and the mark stays on it", { timeout: PATIENCE }, async () => {
    await result();
    await why().click();
    await easel(page).click({ position: { x: 250, y: 200 } });
    await answered();
    await markIsWhereWasAsked();
    await page.screenshot({ path: `${SHOTS}why-1280.png`, fullPage: true });
    for (let turn = 0; turn < 3; turn++) await page.mouse.wheel(0, -200);
    await page.getByRole("button", { name: /^[23]\d\d %: show/ }).waitFor();
    await markIsWhereWasAsked();
    await page.keyboard.down("Space");
    await page.mouse.down();
    await page.mouse.move(500, 500, { steps: 3 });
    await page.mouse.up();
    await page.keyboard.up("Space");
    await markIsWhereWasAsked();
    await page.setViewportSize({ width: 900, height: 700 });
    await page.waitForTimeout(300);
    await markIsWhereWasAsked();
    assert.ok(!(await page.locator("#brush-cursor").isVisible()), "the hand has a cross of its own");
    await page.keyboard.press("ArrowUp");
    assert.ok(await page.locator("#brush-cursor").isVisible(), "the keys have none");
    await page.getByText(/^bathroom.jpg: right/).waitFor();
    await page.getByRole("button", { name: "Brush", exact: true }).click();
    assert.equal(await page.getByRole("figure", { name: / level: / }).count(), 0, "who takes a brush no longer asks");
    assert.equal(await marked(), undefined);
  });

  for (const [where, settings] of /** @type {const} */ ([["", {}], [" at 360 px", PHONE]])) {
    test(`the arrow keys go to a place, and Enter and the space bar ask there${where}`, { timeout: PATIENCE }, async () => {
      await result(settings);
      await why().focus();
      await page.keyboard.press("Enter");
      await page.keyboard.press("Enter");
      await answered();
      assert.deepEqual(await asked(), { across: 50, down: 50 });
      for (let step = 0; step < 6; step++) await page.keyboard.press("ArrowLeft");
      for (let step = 0; step < 4; step++) await page.keyboard.press("ArrowDown");
      await page.getByText(/^\d+\s% across, \d+\s% down\. Press Enter to ask/).waitFor();
      assert.ok(await page.locator("#brush-cursor").isVisible());
      await page.keyboard.press("Space");
      await answered();
      const there = await asked();
      assert.ok(there.across < 45 && there.down > 55, JSON.stringify(there));
      await markIsWhereWasAsked();
      await page.keyboard.press("+");
      await markIsWhereWasAsked();
      await page.getByText(/^bathroom.jpg: right/).waitFor();
      await page.keyboard.press("Escape");
      assert.equal(await why().getAttribute("aria-pressed"), "false");
      assert.equal(await marked(), undefined);
    });
  }

  test("a finger asks, and two come nearer and ask nothing", { timeout: PATIENCE }, async () => {
    await result(PHONE);
    await why().tap();
    const box = await easel(page).boundingBox();
    assert.ok(box);
    const devtools = await context.newCDPSession(page);
    const fingers = (/** @type {"touchStart" | "touchMove" | "touchEnd"} */ type, /** @type {number[]} */ ...across) =>
      devtools.send("Input.dispatchTouchEvent", { type, touchPoints: across.map((share, id) => ({ x: box.x + share * box.width, y: box.y + box.height / 2, id })) });
    await fingers("touchStart", 0.4);
    await fingers("touchStart", 0.4, 0.6);
    for (let step = 1; step <= 4; step++) await fingers("touchMove", 0.4 - 0.05 * step, 0.6 + 0.05 * step);
    await fingers("touchEnd");
    await page.getByRole("button", { name: /^[23]\d\d %: show/ }).waitFor();
    assert.equal(await marked(), undefined);
    await easel(page).tap();
    await answered();
    await markIsWhereWasAsked();
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= 360, `the page is ${width} px wide`);
    await page.screenshot({ path: `${SHOTS}why-360.png`, fullPage: true });
  });
});

describe("many pictures", () => {
  /** So many copies of the samples, smaller and shifted, that no two are alike. @param {number} count */
  function generated(count) {
    return Array.from({ length: count }, (_, number) => {
      const path = join(folder, `made-${String(number).padStart(3, "0")}.png`);
      if (existsSync(path)) return path;
      const [width, height] = [96, 72];
      const data = new Uint8Array(width * height * 3).map((_, at) => (Math.floor(at / 3) * (number + 3) + 40 * (at % 3)) % 256);
      writeFileSync(path, encodePng({ width, height, channels: 3, data }));
      return path;
    });
  }

  test("a hundred are worked off while the page stays at hand; the open one goes first", { timeout: 2 * PATIENCE }, async () => {
    await open("?device=cpu&size=64");
    const tasks = await page.evaluateHandle(() => {
      /** @type {number[]} */
      const long = [];
      new PerformanceObserver((list) => long.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: "longtask" });
      return long;
    });
    await ready(page);
    await page.getByLabel("Choose pictures to look through").setInputFiles(generated(100));
    await page.getByText("0 of 100 pictures done").waitFor({ state: "hidden" });
    await showTheDuck();
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByText(/ of 100 pictures done, paused/).waitFor();
    await page.getByRole("searchbox", { name: "Search by name" }).fill("made-087");
    await openCard(page, "made-087.png");
    await page.getByRole("searchbox", { name: "Search by name" }).fill("");
    await page.getByRole("button", { name: "Resume" }).click();
    await card(page, "made-087.png").getByText(/^(Found, |Not found here)/).waitFor({ timeout: PATIENCE });
    assert.ok((await page.getByText("Waiting its turn").count()) > 0, "it has overtaken others");
    await done(100);
    const longest = await tasks.evaluate((long) => Math.max(0, ...long));
    console.log(`  longest task of the page's own thread: ${longest.toFixed(0)} ms`);
  });

  test("memory does not grow with their number", { timeout: 3 * PATIENCE }, async () => {
    await open("?device=cpu&size=64");
    await ready(page);
    await showTheDuck();
    const devtools = await browser.newBrowserCDPSession();
    const memory = async () => {
      const { processInfo } = await devtools.send("SystemInfo.getProcessInfo");
      const renderers = processInfo.filter(({ type }) => type === "renderer");
      const kilobytes = renderers.map(({ id }) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${id}/status`, "utf8"))?.[1]));
      return Math.round(kilobytes.reduce((sum, one) => sum + one, 0) / 1000);
    };
    const after = [];
    for (const count of [100, 200, 300]) {
      await page.getByLabel("Choose pictures to look through").setInputFiles(generated(count).slice(count - 100));
      await done(count);
      after.push(await memory());
    }
    console.log(`  megabytes after 100, 200 and 300 pictures: ${after.join(", ")}`);
    assert.ok((after[2] ?? 0) < (after[0] ?? 0) + 100, `${after}`);
  });

  test("a batch that was paused or cancelled stays so over a reload", { timeout: 2 * PATIENCE }, async () => {
    await open("?device=cpu&size=64");
    await ready(page);
    await showTheDuck();
    await page.getByLabel("Choose pictures to look through").setInputFiles(generated(30));
    await page.getByText(/^[2-9] of 30 pictures done/).waitFor({ timeout: PATIENCE });
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByText(/ of 30 pictures done, paused/).waitFor();
    await page.waitForTimeout(500);
    await page.reload();
    await ready(page);
    const paused = page.getByText(/ of 30 pictures done, paused/);
    await paused.waitFor();
    const before = await paused.textContent();
    await page.getByText("Waiting its turn").first().waitFor();
    await page.waitForTimeout(2_000);
    assert.equal(await paused.textContent(), before);
    await page.getByRole("button", { name: "Cancel" }).click();
    await card(page, "made-029.png").getByText("Left out; open it to look through it").waitFor();
    await page.waitForTimeout(500);
    await page.reload();
    await ready(page);
    await page.getByRole("button", { name: /^duck.jpg, painted/ }).waitFor();
    await page.waitForTimeout(2_000);
    await card(page, "made-029.png").getByText("Left out; open it to look through it").waitFor();
    await openCard(page, "made-029.png");
    await card(page, "made-029.png").getByText(/^(Found, |Not found here)/).waitFor({ timeout: PATIENCE });
  });

  test("a reload in the middle loses nothing, and forgetting forgets all", { timeout: 2 * PATIENCE }, async () => {
    await open("?device=cpu&size=64");
    await ready(page);
    await page.getByLabel("Choose pictures to look through").setInputFiles(generated(30));
    await showTheDuck();
    await page.getByText(/^[3-9] of 30 pictures done/).waitFor({ timeout: PATIENCE });
    await page.waitForTimeout(500);
    await page.reload();
    await page.getByRole("button", { name: /^duck.jpg, painted/ }).waitFor();
    await card(page, "made-029.png").waitFor();
    assert.ok((await card(page, "made-000.png").getByText(/^(Found, |Not found here)/).count()) > 0, "what was done is done");
    await done(30);
    await page.getByRole("button", { name: /^Device, network/ }).click();
    await page.getByRole("button", { name: "Forget everything" }).click();
    await page.getByRole("button", { name: "Really? Click once more" }).click();
    await page.getByRole("heading", { name: /Paint it once/ }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: /Paint it once/ }).waitFor();
    assert.equal(await page.getByRole("row").count(), 0);
  });
});

describe("nothing is ignored in silence", () => {
  test("annotations among the pictures to look through are told where they belong", { timeout: PATIENCE }, async () => {
    for (const name of ["one.json", "two.json"]) writeFileSync(join(folder, name), "{}");
    await open("?device=cpu&size=64");
    await ready(page);
    await drop(page, queryDoor(page), files.sample("lawn.jpg"), join(folder, "one.json"));
    await page.getByText("one.json says where things are, which “Find it” is to find out. Drop it on “Show it”, beside or onto its picture.").waitFor();
    await page.getByLabel("Choose pictures to look through").setInputFiles([join(folder, "one.json"), join(folder, "two.json")]);
    await page.getByText(/^one.json and 1 more say where things are/).waitFor();
    await card(page, "lawn.jpg").waitFor();
  });

  test("more than 20 pictures of one class", { timeout: PATIENCE }, async () => {
    const pictures = Array.from({ length: 21 }, (_, at) => {
      const data = new Uint8Array(32 * 24).map((_, pixel) => (pixel * (at + 3)) % 256);
      const [picture, mask] = [join(folder, `shot${at}.png`), join(folder, `shot${at}-mask.png`)];
      writeFileSync(picture, encodePng({ width: 32, height: 24, channels: 1, data }));
      writeFileSync(mask, encodePng({ width: 32, height: 24, channels: 1, data: new Uint8Array(32 * 24).fill(255, 0, 300) }));
      return [picture, mask];
    });
    await open("?device=cpu&size=64");
    await ready(page);
    const door = page.getByLabel("Choose pictures that show the thing");
    await door.setInputFiles(pictures.slice(0, 20).flat());
    await page.getByTitle("20 painted pictures").waitFor();
    assert.equal(await page.getByRole("alert").count(), 0);
    await door.setInputFiles(pictures.slice(20).flat());
    await page.getByText(/^“thing” is painted in 21 pictures. 20 of a class are enough/).waitFor();
  });

  test("a class too many", { timeout: PATIENCE }, async () => {
    const shapes = Array.from({ length: 250 }, (_, at) => ({ label: `thing no ${at}`, points: [[at, 0], [at + 1, 0], [at + 1, 9], [at, 9]], group_id: null, shape_type: "polygon", flags: {} }));
    writeFileSync(join(folder, "many.json"), JSON.stringify({ version: "5.5.0", flags: {}, imagePath: "duck.jpg", imageData: null, imageHeight: 360, imageWidth: 480, shapes }));
    await open("?device=cpu&size=64");
    await drop(page, showDoor(page), files.sample("duck.jpg"));
    await page.getByText(/^Nothing is painted in duck.jpg yet/).waitFor();
    await page.getByRole("button", { name: "Remove the class thing" }).click();
    await page.getByLabel("Choose a mask PNG, LabelMe JSON or COCO JSON").setInputFiles(join(folder, "many.json"));
    await page.getByLabel("Name of class 250").waitFor();
    await page.getByRole("button", { name: "Class", exact: true }).click();
    await page.getByText(/^There are 250 classes already/).waitFor();
  });

  test("a file in a folder that cannot be read is named, and the others go on", { timeout: PATIENCE }, async () => {
    const photos = join(folder, "locked");
    mkdirSync(photos);
    for (const name of ["lawn.jpg", "picnic.jpg", "bathroom.jpg"]) copyFileSync(files.sample(name), join(photos, name));
    await open("?device=cpu&size=64");
    await ready(page);
    // As a browser does with a file that may not be opened; whoever runs the tests may open all.
    await page.evaluate(() => {
      const { webkitGetAsEntry } = DataTransferItem.prototype;
      DataTransferItem.prototype.webkitGetAsEntry = function () {
        const folder = /** @type {FileSystemDirectoryEntry} */ (webkitGetAsEntry.call(this));
        const reader = folder.createReader();
        /** @param {FileSystemEntriesCallback} take @param {ErrorCallback} fail */
        const readEntries = (take, fail) => reader.readEntries((entries) => {
          const locked = entries.find(({ name }) => name === "lawn.jpg");
          if (locked) Object.assign(locked, { file: (/** @type {unknown} */ _, /** @type {ErrorCallback} */ refuse) => refuse(new DOMException("It may not be opened.", "NotReadableError")) });
          take(entries);
        }, fail);
        return Object.assign(folder, { createReader: () => ({ readEntries }) });
      };
    });
    await drop(page, queryDoor(page), photos);
    await page.getByText(/^lawn.jpg cannot be read/).waitFor();
    for (const name of ["picnic.jpg", "bathroom.jpg"]) await card(page, name).waitFor();
    assert.equal(await page.getByRole("row").count(), 2);
  });

  test("two clicks on a sample bring it once", { timeout: PATIENCE }, async () => {
    await open("?device=cpu&size=64");
    await ready(page);
    await page.getByRole("button", { name: "Try the duck" }).dblclick();
    await done(3);
    assert.equal(await page.getByRole("row").count(), 3);
    assert.equal(await page.getByRole("button", { name: /, painted/ }).count(), 1);
  });

  test("what is forgotten in one tab is forgotten in all", { timeout: PATIENCE }, async () => {
    await open("?device=cpu&size=64");
    await ready(page);
    await showTheDuck();
    await page.waitForTimeout(500);
    const keeper = page;
    await visit("?device=cpu&size=64");
    await ready(page);
    await page.getByText(/^fewseg is open in another tab, and that one keeps your work/).waitFor();
    await page.getByRole("button", { name: /^Device, network/ }).click();
    await page.getByRole("button", { name: "Forget everything" }).click();
    await page.getByRole("button", { name: "Really? Click once more" }).click();
    await keeper.getByText(/^Everything that was kept has been forgotten in another tab. What is here is not kept any more/).waitFor();
    await keeper.getByRole("button", { name: /^duck.jpg, painted/ }).waitFor();
    // What goes on there is kept no more, and the tab that forgot keeps now.
    await keeper.getByRole("button", { name: "Undo" }).click();
    await page.getByRole("heading", { name: /Paint it once/ }).waitFor();
    await ready(page);
    assert.equal(await page.getByText(/^fewseg is open in another tab/).count(), 0);
    await drop(page, queryDoor(page), files.sample("lawn.jpg"));
    await card(page, "lawn.jpg").waitFor();
    await page.waitForTimeout(500);
    await keeper.close();
    await page.reload();
    await card(page, "lawn.jpg").waitFor();
    assert.equal(await page.getByRole("button", { name: /^duck.jpg/ }).count(), 0);
  });

  test("what was kept and cannot be read does not stop the page, nor is it overwritten", { timeout: PATIENCE }, async () => {
    await open("?device=cpu&size=64");
    await ready(page);
    await drop(page, queryDoor(page), files.sample("lawn.jpg"));
    await card(page, "lawn.jpg").waitFor();
    await page.waitForTimeout(500);
    await page.close();
    page = await context.newPage();
    await page.addInitScript(() => {
      IDBObjectStore.prototype.getAll = () => { throw new DOMException("The disk is broken.", "UnknownError"); };
    });
    await page.goto(`${server.url}?device=cpu&size=64`);
    await page.getByText(/^What was kept cannot be read \(The disk is broken.\), so this page begins empty and keeps nothing/).waitFor();
    await ready(page);
    await page.getByLabel("Choose pictures to look through").setInputFiles(files.sample("bathroom.jpg"));
    await card(page, "bathroom.jpg").waitFor();
    await page.waitForTimeout(500);
    await page.close();
    await visit("?device=cpu&size=64");
    await card(page, "lawn.jpg").waitFor();
    assert.equal(await page.getByRole("row").count(), 1);
  });
});

describe("pictures come in", () => {
  test("as a folder, and by pasting", { timeout: PATIENCE }, async () => {
    const photos = join(folder, "photos", "inner");
    mkdirSync(photos, { recursive: true });
    copyFileSync(files.sample("lawn.jpg"), join(photos, "lawn.jpg"));
    copyFileSync(files.sample("picnic.jpg"), join(photos, "..", "picnic.jpg"));
    await open("?device=cpu&size=64");
    await showTheDuck();
    await page.getByLabel("Choose a folder to look through").setInputFiles(join(folder, "photos"));
    await done(2);
    const bytes = readFileSync(files.sample("bathroom.jpg")).toString("base64");
    await page.evaluate((base64) => {
      const clipboardData = new DataTransfer();
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      clipboardData.items.add(new File([bytes], "pasted.jpg", { type: "image/jpeg" }));
      document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
    }, bytes);
    await card(page, "pasted.jpg").waitFor();
    await done(3);
  });

  test("a support that is left out teaches nothing, and keeps its new name", { timeout: PATIENCE }, async () => {
    await open("?device=cpu&size=64");
    await showTheDuck();
    await drop(page, queryDoor(page), files.sample("lawn.jpg"));
    await done(1);
    await page.getByLabel("Name of this picture").fill("bath time.jpg");
    await page.getByLabel("Name of this picture").press("Enter");
    await page.getByRole("button", { name: "Leave bath time.jpg out of learning" }).click();
    await page.getByRole("button", { name: "bath time.jpg, left out" }).waitFor();
    await card(page, "lawn.jpg").getByText("Waiting for you to paint the thing").waitFor();
    await page.getByRole("button", { name: "Leave bath time.jpg out of learning" }).click();
    await done(1);
  });
});

describe("how it is shown", () => {
  test("edges that follow the picture fit better, and can be switched off", { timeout: PATIENCE }, async () => {
    await open(`?device=cpu&size=${SIZE}`);
    await showTheDuck();
    await drop(page, queryDoor(page), files.sample("picnic.jpg"));
    await done(1);
    const following = await downloadMask(page, "picnic.jpg");
    await page.getByLabel("Edges follow the picture").uncheck();
    const plain = await downloadMask(page, "picnic.jpg");
    const [better, worse] = [following, plain].map((mask) => overlap(mask, truth("picnic", 1)));
    console.log(`  overlap with edges that follow ${better?.toFixed(3)}, without ${worse?.toFixed(3)}`);
    assert.ok((better ?? 0) > (worse ?? 1));
  });
});

describe("out", () => {
  test("everything as one zip, read back by its own ecosystem's readers", { timeout: PATIENCE }, async () => {
    await open(`?device=cpu&size=${SIZE}`);
    await page.addInitScript(() => Reflect.deleteProperty(window, "showSaveFilePicker"));
    await page.reload();
    await ready(page);
    await page.getByRole("button", { name: "Try the duck" }).click();
    await done(3);
    await page.getByRole("button", { name: "Save all" }).click();
    for (const box of await page.getByRole("dialog").getByRole("checkbox").all()) {
      if (!(await box.evaluate((input) => input.id === "out-accepted"))) await box.check();
    }
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Save 3 pictures" }).click();
    const zip = await (await download).path();
    await page.getByText("3 pictures saved.").waitFor();
    await page.getByRole("button", { name: "Close" }).click();

    const out = mkdtempSync(join(folder, "zip-"));
    execFileSync(READERS, ["-m", "zipfile", "-e", zip, out]);
    for (const name of ["picnic", "bathroom", "lawn"]) copyFileSync(files.sample(`${name}.jpg`), join(out, "labelme", `${name}.jpg`));
    const areas = JSON.parse(execFileSync(READERS, [here("../readers/areas.py"), out], { encoding: "utf8" }));
    for (const name of ["picnic", "bathroom", "lawn"]) {
      const pixels = (await downloadMask(page, `${name}.jpg`)).data.filter(Boolean).length;
      const sum = (/** @type {string} */ kind) => areas[kind].pictures[`${name}.jpg`].reduce((/** @type {number} */ total, /** @type {{ pixels: number }} */ one) => total + one.pixels, 0);
      assert.deepEqual([sum("coco"), sum("coco-rle")], [pixels, pixels], `${name}: COCO`);
      assert.ok(Math.abs(areas.labelme[name].duck - pixels) <= 0.01 * pixels, `${name}: LabelMe has ${areas.labelme[name].duck} of ${pixels}`);
      assert.equal(Object.values(areas.masks[name])[0], pixels, `${name}: mask`);
      assert.ok(existsSync(join(out, "yolo", "labels", `${name}.txt`)));
      assert.ok(existsSync(join(out, "overlays", `${name}.jpg`)));
    }
  });

  test("a task file works without its pictures, here and on the command line", { timeout: PATIENCE }, async () => {
    await open(`?device=cpu&size=${SIZE}`);
    await showTheDuck();
    await drop(page, queryDoor(page), files.sample("bathroom.jpg"));
    await done(1);
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Task", exact: true }).click();
    const task = join(folder, "duck.fewseg");
    await (await download).saveAs(task);
    await context.close();

    await open(`?device=cpu&size=${SIZE}`);
    await ready(page);
    await drop(page, showDoor(page), task);
    await page.getByText(/Working from the task duck.fewseg, learned from 1 picture/).waitFor();
    await drop(page, queryDoor(page), files.sample("bathroom.jpg"));
    await done(1);
    const here = await downloadMask(page, "bathroom.jpg");
    const out = mkdtempSync(join(folder, "task-"));
    execFileSync(FEWSEG, ["segment", "--task", task, "--weights", files.weights, "--query", files.sample("bathroom.jpg"), "--out", out], { stdio: "pipe" });
    const there = readMask(join(out, "bathroom.png"));
    const different = here.data.filter((value, at) => value > 127 !== (there.data[at] ?? 0) > 127).length;
    console.log(`  ${different} of ${here.data.length} pixels differ between the page and the command line`);
    // Sums are added up in another order there.
    assert.ok(different <= here.data.length / 5000, `${different} pixels differ`);
  });
});

describe("networks and devices", () => {
  test("a network that was brought is kept, and can be removed", { timeout: PATIENCE }, async () => {
    const mine = join(folder, "mine.safetensors");
    copyFileSync(files.weights, mine);
    await open("?device=cpu&size=64");
    await ready(page);
    await drop(page, queryDoor(page), mine);
    await page.getByRole("button", { name: /^Device, network/ }).click();
    await page.getByRole("radio", { name: /mine.safetensors/ }).and(page.locator(":checked")).waitFor();
    await page.waitForTimeout(500);
    await page.reload();
    await ready(page);
    await page.getByRole("button", { name: /^Device, network/ }).click();
    assert.ok(await page.getByRole("radio", { name: /mine.safetensors/ }).isChecked());
    await page.getByRole("button", { name: "Remove mine.safetensors from this browser" }).click();
    await page.getByRole("radio", { name: /Default/ }).and(page.locator(":checked")).waitFor();
  });

  test("a GPU that is lost is taken again, and the work goes on", { timeout: PATIENCE }, async () => {
    await open("?device=webgpu&size=64");
    await ready(page);
    await showTheDuck();
    await drop(page, queryDoor(page), files.sample("lawn.jpg"));
    await done(1);
    const [worker] = page.workers();
    // @ts-expect-error the worker shows its devices to whoever asks in its console
    await worker?.evaluate(() => self.devices.forEach((device) => device.destroy()));
    await page.getByText(/The GPU was lost and is being taken again/).waitFor({ timeout: PATIENCE });
    await ready(page);
    await drop(page, queryDoor(page), files.sample("bathroom.jpg"));
    await done(2);
  });

  test("where memory runs out a smaller size is offered, and used", { timeout: PATIENCE }, async () => {
    await open("?device=cpu&size=128");
    await ready(page);
    await showTheDuck();
    await page.workers()[0]?.evaluate(() => void setTimeout(() => { throw new WebAssembly.RuntimeError("memory access out of bounds"); }));
    await page.getByRole("button", { name: "Work at 64 pixels" }).click();
    await drop(page, queryDoor(page), files.sample("lawn.jpg"));
    await done(1);
    await page.getByRole("button", { name: /^Device, network/ }).click();
    await page.getByText("at 64 × 64 px").waitFor();
  });

  test("the camera's picture is looked through live, frozen and taken", { timeout: PATIENCE }, async () => {
    await open(`?device=cpu&size=128`, { permissions: ["camera"] });
    await showTheDuck();
    await page.getByRole("button", { name: "Camera", exact: true }).and(page.locator(":enabled")).waitFor({ timeout: PATIENCE });
    await page.getByRole("button", { name: "Camera", exact: true }).click();
    await page.getByText(/frames a second/).waitFor({ timeout: PATIENCE });
    await page.screenshot({ path: `${SHOTS}live-1280.png` });
    // Frames go on, and what was said stays.
    await page.getByRole("button", { name: "Take a picture" }).click();
    await page.getByText("Taken among the pictures.").waitFor();
    await page.waitForTimeout(1000);
    assert.ok(await page.getByText("Taken among the pictures.").isVisible());
    await page.getByRole("button", { name: "Freeze" }).click();
    await page.getByRole("button", { name: "Close" }).click();
    await done(1);
  });
});

describe("programs", () => {
  test("the example of docs/embedding.md finds the duck without the page", { timeout: PATIENCE }, async () => {
    const example = /```js\n([\s\S]*?)```/.exec(readFileSync(here("../../docs/embedding.md"), "utf8"))?.[1] ?? "";
    // Beside the built files, as its reader would put it.
    const site = join(folder, "embedding");
    mkdirSync(site);
    writeFileSync(join(site, "example.js"), example);
    writeFileSync(join(site, "example.html"), '<!doctype html><script type="module" src="example.js"></script>');
    const other = await serve(site, DIST);
    // Without WebGPU "auto" is the CPU, which is faster than a GPU that is a program.
    const plain = await launch({ webgpu: false });
    context = await plain.newContext();
    page = await context.newPage();
    complaints = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    const said = page.waitForEvent("console", { predicate: (message) => message.text().endsWith("pixels are the duck"), timeout: PATIENCE });
    await page.goto(`${other.url}example.html`);
    const share = Number(/^(\d+) of/.exec((await said).text())?.[1]) / (480 * 360);
    await other.close();
    await plain.close();
    assert.ok(share > 0.12 && share < 0.4, `${share} of the picture`);
  });
});

describe("everybody", () => {
  const axe = readFileSync(here("node_modules/axe-core/axe.min.js"), "utf8");

  for (const [scheme, width] of /** @type {const} */ ([["light", 1280], ["dark", 1280], ["light", 360]])) {
    test(`axe finds nothing, ${scheme}, ${width} pixels wide`, { timeout: PATIENCE }, async () => {
      await open("?device=cpu&size=64", { colorScheme: scheme, viewport: { width, height: 800 }, hasTouch: width < 500 });
      await ready(page);
      const check = async (/** @type {string} */ place) => {
        const violations = await page.evaluate(async (source) => {
          (0, eval)(source);
          // @ts-expect-error axe is in the page now
          const { violations } = await window.axe.run();
          return violations.map((/** @type {any} */ { id, nodes }) => `${id}: ${nodes.map((/** @type {any} */ { target }) => target.join(" ")).join(", ")}`);
        }, axe);
        assert.deepEqual(violations, [], place);
      };
      await check("empty");
      await page.getByRole("button", { name: "Several things at once" }).click();
      await done(3);
      await check("with results");
      await openCard(page, "lawn.jpg");
      await page.getByText(/Accept it|Paint what was missed/).first().waitFor({ timeout: PATIENCE });
      await check("with a result on the easel");
      await page.getByRole("button", { name: "Save all" }).click();
      await check("with the dialog of saving");
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= width, `the page is ${wide} px wide`);
      await page.getByRole("button", { name: "Close" }).click();
      await page.screenshot({ path: `${SHOTS}result-${scheme}-${width}.png`, fullPage: true });
    });
  }
});
