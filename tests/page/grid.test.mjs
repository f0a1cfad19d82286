// The grid of hundreds: what it shows, what it keeps in memory, and a user at it with mouse and keys.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { arrange, counts } from "../../www/js/arrange.js";
import { Pace, roughly } from "../../www/js/pace.js";
import { launch } from "./browser.mjs";
import { sample, upright } from "./files.mjs";
import { serve } from "./server.mjs";

/** @typedef {import("../../www/js/arrange.js").Item} Item */

/** @param {string} path */
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** @param {Partial<Item> & { id: string }} news @returns {Item} */
const item = (news) => ({ name: `${news.id}.jpg`, width: 4, height: 3, status: "found", words: "", accepted: false, corrected: false, file: new Blob(), ...news });

describe("which pictures are shown", () => {
  const items = [
    item({ id: "img10", confidence: 0.9, share: 0.1 }),
    item({ id: "img9", status: "stale", confidence: 0.4, share: 0.5, accepted: true }),
    item({ id: "Duck", status: "failed" }),
    item({ id: "lake", status: "nothing", share: 0 }),
  ];
  /** @param {Partial<import("../../www/js/arrange.js").Wish>} wish */
  const ids = (wish) => arrange(items, { filter: "all", text: "", sort: "added", ...wish }).map(({ id }) => id);

  test("filters by what came out, and by name", () => {
    assert.deepEqual(ids({ filter: "todo" }), ["img9"]);
    assert.deepEqual(ids({ filter: "accepted" }), ["img9"]);
    assert.deepEqual(ids({ filter: "nothing" }), ["lake"]);
    assert.deepEqual(ids({ text: " duck" }), ["Duck"]);
    assert.deepEqual(counts(items), { all: 4, todo: 1, found: 1, nothing: 1, failed: 1, accepted: 1, corrected: 0 });
  });

  test("sorts, with what is not known at the end", () => {
    assert.deepEqual(ids({ sort: "confidence" }), ["img9", "img10", "Duck", "lake"]);
    assert.deepEqual(ids({ sort: "share" }), ["img9", "img10", "lake", "Duck"]);
    assert.deepEqual(ids({ sort: "name" }), ["Duck", "img9", "img10", "lake"]);
    assert.deepEqual(ids({}), ["img10", "img9", "Duck", "lake"]);
  });
});

describe("the time left", () => {
  test("follows the last pictures, and leaves pauses out", () => {
    const pace = new Pace();
    pace.note(0, 0, true);
    assert.equal(pace.left(5), undefined);
    pace.note(1, 2_000, true);
    assert.equal(pace.left(5), 10_000);
    pace.note(1, 2_500, false);
    pace.note(1, 90_000, true);
    pace.note(3, 98_000, true);
    assert.equal(pace.left(3), 10_000);
    for (let done = 4; done < 20; done++) pace.note(done, 98_000 + (done - 3) * 1_000, true);
    assert.equal(pace.left(7), 7_000);
  });

  test("does not count pictures that have to be done again as done backwards", () => {
    const pace = new Pace();
    pace.note(0, 0, true);
    pace.note(10, 10_000, true);
    pace.note(0, 11_000, true);
    pace.note(1, 12_000, true);
    assert.equal(pace.left(1), 1_000);
  });

  test("is said in round words", () => {
    assert.deepEqual([3e3, 38e3, 65e3, 250e3, 2.2e7].map(roughly), ["a few seconds", "about 40 seconds", "about a minute", "about 4 minutes", "about 6 hours"]);
  });
});

describe("in a browser", () => {
  /** @type {Awaited<ReturnType<typeof serve>>} */
  let server;
  /** @type {import("playwright-core").Browser} */
  let browser;
  /** @type {import("playwright-core").Page} */
  let page;
  /** @type {string[]} */
  let complaints = [];

  before(async () => {
    server = await serve(here("pages/"), here("../../www/"));
    browser = await launch({ webgpu: false });
  });
  after(async () => {
    await browser.close();
    await server.close();
  });
  beforeEach(async () => {
    page = await browser.newPage({ viewport: { width: 1000, height: 800 } });
    page.setDefaultTimeout(20_000);
    complaints = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    await page.goto(`${server.url}bare.html`);
  });
  afterEach(async () => {
    assert.deepEqual(complaints, []);
    await page.close();
  });

  /** A grid of so many pictures, which answers what it asks for and notes it. The picture is one real file. @param {number} count @param {string} path */
  const fill = (count, path = sample("duck.jpg")) =>
    page.evaluate(async ({ path, count, bytes }) => {
      const { Grid } = await import(path);
      const file = new Blob([Uint8Array.from(bytes)], { type: "image/jpeg" });
      const { width, height } = await createImageBitmap(file);
      const kinds = [["found", "Found, 12 % of the picture"], ["nothing", "Not found here"], ["waiting", "Waiting its turn"], ["failed", "The file is cut off"]];
      const items = Array.from({ length: count }, (_, n) => {
        const [status, words] = kinds[n % 4] ?? [];
        return /** @type {any} */ ({ id: `q${n}`, name: `IMG_${n}.jpg`, width, height, status, words, accepted: false, corrected: false, file, confidence: n % 4 === 0 ? 0.5 + n / 2000 : undefined });
      });
      const trial = Object.assign(window, { trial: { items, log: /** @type {string[]} */ ([]), wanted: 0, left: 0, thumbs: 0, run: "running", show: () => {} } }).trial;
      const note = (/** @type {string} */ word) => (/** @type {string} */ id) => trial.log.push(`${word} ${id}`);
      const update = (/** @type {string} */ id, /** @type {object} */ news) => {
        Object.assign(items.find((item) => item.id === id) ?? {}, news);
        trial.show();
      };
      const labels = { labels: new Uint8Array(48).fill(1, 0, 20), width: 8, height: 6 };
      const grid = new Grid(document.querySelector("main"), {
        select: note("select"),
        open: note("open"),
        accept: (/** @type {string} */ id, /** @type {boolean} */ accepted) => update(id, { accepted }),
        remove(/** @type {string} */ id) {
          items.splice(items.findIndex((item) => item.id === id), 1);
          trial.show();
        },
        want(/** @type {string} */ id) {
          trial.wanted++;
          update(id, { labels });
        },
        leave(/** @type {string} */ id) {
          trial.left++;
          update(id, { labels: undefined });
        },
        thumb(/** @type {string} */ id, /** @type {Blob} */ thumb) {
          trial.thumbs++;
          update(id, { thumb });
        },
        pause: () => void (trial.run = "paused"),
        resume: () => void (trial.run = "running"),
        cancel: () => void (trial.run = "idle"),
      });
      const colours = [{ number: 1, name: "duck", colour: "#ff2d75" }];
      trial.show = () => grid.show({ items: items.map((item) => ({ ...item })), classes: colours, run: trial.run });
      trial.show();
    }, { path: "./js/grid.js", count, bytes: [...readFileSync(path)] });

  /** @template T @param {(trial: any) => T} read */
  const trial = async (read) => (await page.evaluateHandle(() => /** @type {any} */ (window).trial)).evaluate(read);

  const rows = () => page.getByRole("row");
  /** @param {number} n */
  const cell = (n) => page.getByRole("row", { name: new RegExp(`^IMG_${n}\\.jpg`) }).getByRole("gridcell").first();
  const focused = () => page.evaluate(() => document.activeElement?.querySelector(".tile-name")?.textContent);
  const pictured = () => page.evaluate(() => [...document.querySelectorAll(".tile img")].filter((image) => image.hasAttribute("src")).length);
  const overlaid = () => page.evaluate(() => [...document.querySelectorAll(".tile canvas")].filter((canvas) => /** @type {HTMLCanvasElement} */ (canvas).width > 0).length);

  /** @param {number} count */
  const until = (count) => page.waitForFunction((count) => document.querySelectorAll(".tile").length === count, count);

  test("five hundred are there, and only those near the window cost memory", async () => {
    await fill(500);
    await until(500);
    await page.waitForFunction(() => document.querySelectorAll(".tile img[src]").length > 12);
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
    await page.waitForFunction(() => document.querySelector('[data-item="q499"] img')?.getAttribute("src")?.startsWith("blob:"));
    await page.waitForFunction(() => /** @type {any} */ (window).trial.left > 12);
    assert.ok((await pictured()) < 100, `${await pictured()} pictures are open`);
    assert.ok((await overlaid()) < 40, `${await overlaid()} overlays are drawn`);
    assert.equal(await page.locator('[data-item="q0"] img').getAttribute("src"), null);
    const made = await trial(({ thumbs }) => thumbs);
    await page.evaluate(() => scrollTo(0, 0));
    await page.waitForFunction(() => document.querySelector('[data-item="q0"] img')?.getAttribute("src")?.startsWith("blob:"));
    assert.ok(made < 200, "far pictures are not made small before they are near");
    assert.ok(await page.evaluate(() => document.querySelector('[data-item="q0"] canvas')?.getAttribute("width") === "8"), "the overlay is there again");
  });

  test("a picture that a camera has turned is small and upright", async () => {
    await fill(1, upright);
    const image = page.locator(".tile img[src]");
    await image.waitFor({ state: "attached" });
    await page.waitForFunction(() => (/** @type {HTMLImageElement | null} */ (document.querySelector(".tile img[src]"))?.naturalWidth ?? 0) > 0);
    assert.deepEqual(await image.evaluate((image) => [/** @type {HTMLImageElement} */ (image).naturalWidth, /** @type {HTMLImageElement} */ (image).naturalHeight]), [360, 480]);
  });

  test("filters, their counts, the search and the order do what they say", async () => {
    await fill(40);
    await until(40);
    await page.getByRole("radio", { name: "Not found 10" }).check({ force: true });
    await until(10);
    assert.match(await rows().first().innerText(), /^IMG_1\.jpg/);
    await page.getByRole("radio", { name: "All 40" }).check({ force: true });
    await page.getByLabel("Search by name").fill("img_3");
    await until(11);
    await page.getByLabel("Order").selectOption("By name");
    await page.waitForFunction(() => document.querySelectorAll(".tile-name")[1]?.textContent === "IMG_30.jpg");
    await page.getByLabel("Search by name").fill("nobody");
    await page.getByText("No picture is like that.").waitFor();
    await page.getByLabel("Search by name").fill("");
    await page.getByLabel("Order").selectOption("Least sure first");
    await page.waitForFunction(() => document.querySelectorAll(".tile-name")[1]?.textContent === "IMG_4.jpg");
  });

  test("the keys walk, open, accept and remove, and one tile is reached by the tabulator", async () => {
    await fill(12);
    await until(12);
    const columns = await page.evaluate(() => getComputedStyle(/** @type {Element} */ (document.querySelector(".tiles"))).gridTemplateColumns.split(" ").length);
    assert.ok(columns > 1);
    await page.getByLabel("Order").focus();
    await page.keyboard.press("Tab");
    assert.equal(await focused(), "IMG_0.jpg");
    await page.keyboard.press("ArrowUp");
    assert.equal(await focused(), "IMG_0.jpg");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowDown");
    assert.equal(await focused(), `IMG_${1 + columns}.jpg`);
    await page.keyboard.press("End");
    assert.equal(await focused(), "IMG_11.jpg");
    await page.keyboard.press("Home");
    await page.keyboard.press("Enter");
    assert.deepEqual((await trial(({ log }) => log)).slice(-2), ["select q0", "open q0"]);
    await page.keyboard.press("a");
    await page.getByRole("button", { name: "Accept IMG_0.jpg", pressed: true }).waitFor();
    await page.getByRole("radio", { name: "Accepted 1" }).waitFor({ state: "attached" });
    await page.keyboard.press("Tab");
    await page.keyboard.press("Space");
    await page.getByRole("button", { name: "Accept IMG_0.jpg", pressed: false }).waitFor();
    await page.keyboard.press("Delete");
    await until(11);
    assert.equal(await focused(), "IMG_1.jpg");
    assert.equal(await page.getByRole("row", { selected: true }).count(), 1);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement?.closest(".tile")), null);
  });

  test("the focus stays with its picture when that moves, and with its place when that goes", async () => {
    await fill(12);
    await until(12);
    await cell(4).click();
    assert.deepEqual(await trial(({ log }) => log), ["select q4", "open q4"]);
    await page.getByLabel("Order").evaluate((select) => {
      /** @type {HTMLSelectElement} */ (select).value = "share";
      /** @type {any} */ (window).trial.items[4].share = 0.9;
      select.dispatchEvent(new Event("change"));
    });
    await trial(({ show }) => void show());
    await page.waitForFunction(() => document.querySelector(".tile-name")?.textContent === "IMG_4.jpg");
    assert.equal(await focused(), "IMG_4.jpg");
  });

  test("a click accepts without opening, and what is not done cannot be accepted", async () => {
    await fill(4);
    await until(4);
    await page.getByRole("button", { name: "Accept IMG_1.jpg" }).click();
    await page.getByRole("button", { name: "Accept IMG_1.jpg", pressed: true }).waitFor();
    assert.ok(!(await trial(({ log }) => log)).includes("open q1"));
    assert.ok(await page.getByRole("button", { name: "Accept IMG_2.jpg" }).isDisabled());
  });

  test("the bar says how far the work is, and pauses and cancels it", async () => {
    await fill(8);
    await page.getByText("6 of 8 pictures done").waitFor();
    await page.getByRole("button", { name: "Pause" }).click();
    await trial(({ show }) => void show());
    await page.getByText("6 of 8 pictures done, paused").waitFor();
    await page.getByRole("button", { name: "Resume" }).click();
    await trial(({ show }) => void show());
    await page.getByText("6 of 8 pictures done", { exact: true }).waitFor();
    await trial((trial) => {
      trial.items[2].status = "found";
      trial.show();
    });
    await page.getByText(/^7 of 8 pictures done, a few seconds left$/).waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    await trial(({ show }) => void show());
    await page.getByRole("button", { name: "Cancel" }).waitFor({ state: "hidden" });
  });

  test("it fits a phone", async () => {
    await page.setViewportSize({ width: 360, height: 700 });
    await fill(20);
    await until(20);
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360);
  });
});
