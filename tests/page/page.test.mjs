// The built page in a real browser, used as a person uses it: by what is written on it, with the mouse and the keys.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { PATIENCE, card, downloadMask, openCard, drop, dropAt, easel, found, launch, maskDoor, overlap, paint, queryDoor, readMask, ready, showDoor } from "./browser.mjs";
import * as files from "./files.mjs";
import { decodePng } from "./png.mjs";
import { serve } from "./server.mjs";

/** @typedef {import("playwright-core").Page} Page */

/** What is found must overlap the duck at least so much (intersection over union), by the side the network works at. */
const LEAST_OVERLAP = { webgpu: 0.35, cpu: 0.5 };
/** Small, because the tests' GPU is a program on the CPU. */
const GPU_SIZE = 128;
const CPU_SIZE = 256;

/** A page that computes by itself gets to run once or twice until the result is there; one that does not, hundreds of times. */
const LEAST_TURNS = 20;

/** Three short lines beside the name, in pixels; a sentence makes it twice as high. */
const TALLEST_HEADER = 80;

const DIST = process.env["DIST"] ?? fileURLToPath(new URL("../../dist", import.meta.url));
const SHOTS = fileURLToPath(new URL("shots/", import.meta.url));

/** @type {Awaited<ReturnType<typeof serve>>} */
let server;
/** @type {import("playwright-core").Browser} */
let browser;
/** @type {Page} */
let page;
/** @type {string[]} */
let requests = [];
/** @type {string[]} */
let complaints = [];

/** @param {string} query @param {Parameters<typeof browser.newPage>[0]} [settings] */
async function open(query, settings = {}) {
  page = await browser.newPage({ acceptDownloads: true, serviceWorkers: "block", ...settings });
  page.setDefaultTimeout(30_000);
  requests = [];
  complaints = [];
  page.context().on("request", (request) => requests.push(request.url()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  await page.goto(`${server.url}${query}`);
}

/** Every request went to the server of the page, or to the page's own memory. */
function assertNothingLeft() {
  assert.ok(requests.some((url) => url.endsWith("fewseg_bg.wasm")), "the worker's requests are watched too");
  const left = requests.filter((url) => !url.startsWith(server.url) && !/^(blob|data):/.test(url));
  assert.deepEqual(left, [], "requests to elsewhere");
}

async function showTheDuck() {
  await drop(page, showDoor(page), files.sample("duck.jpg"));
  await easel(page).waitFor();
  await drop(page, maskDoor(page), files.sample("duck-mask.png"));
  await page.getByText(/^18 % of duck.jpg is painted/).waitFor();
}

/** @param {string} name @param {number} least */
async function assertFound(name, least) {
  await found(page, `${name}.jpg`);
  const got = overlap(await downloadMask(page, `${name}.jpg`), readMask(files.truth(name)));
  console.log(`  overlap in ${name}: ${got.toFixed(3)}`);
  assert.ok(got >= least, `overlap in ${name} is ${got.toFixed(3)}, less than ${least}`);
}

before(async () => {
  server = await serve(DIST);
  mkdirSync(SHOTS, { recursive: true });
});
after(() => server.close());

describe("in a browser with WebGPU", () => {
  before(async () => {
    browser = await launch({ webgpu: true });
  });
  after(() => browser.close());
  afterEach(async () => {
    assertNothingLeft();
    assert.deepEqual(complaints, []);
    await page.close();
  });

  test("a dropped picture and mask find the duck on the GPU", { timeout: PATIENCE }, async () => {
    await open(`?device=webgpu&size=${GPU_SIZE}`);
    await page.getByText("GPU", { exact: true }).first().waitFor({ timeout: PATIENCE });
    await showTheDuck();
    await drop(page, queryDoor(page), files.sample("bathroom.jpg"));
    await assertFound("bathroom", LEAST_OVERLAP.webgpu);
  });

  test("strokes of the brush find the duck", { timeout: PATIENCE }, async () => {
    await open(`?device=cpu&size=${CPU_SIZE}`);
    await drop(page, queryDoor(page), files.sample("picnic.jpg"));
    await drop(page, showDoor(page), files.sample("duck.jpg"));
    await easel(page).waitFor();
    await card(page, "picnic.jpg").getByText("Waiting for you to paint the thing").waitFor();
    await page.getByLabel("Brush size").fill("30");
    await paint(page, readMask(files.sample("duck-mask.png")), 14);
    await page.getByText(/^1[5-9] % of duck.jpg is painted/).waitFor();
    await assertFound("picnic", LEAST_OVERLAP.cpu);
  });

  test("one click shows the whole thing", { timeout: PATIENCE }, async () => {
    await open(`?device=cpu&size=${CPU_SIZE}`, { viewport: { width: 1280, height: 860 } });
    await ready(page);
    await page.screenshot({ path: `${SHOTS}empty-1280.png`, fullPage: true });
    await page.getByRole("button", { name: "Try the duck" }).click();
    for (const name of ["picnic", "bathroom", "lawn"]) await assertFound(name, LEAST_OVERLAP.cpu);
    await page.getByText("Done: 3 pictures looked through.").waitFor();
    await page.screenshot({ path: `${SHOTS}sample-1280.png`, fullPage: true });
    await page.setViewportSize({ width: 375, height: 812 });
    await page.screenshot({ path: `${SHOTS}sample-375.png`, fullPage: true });
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= 375, `the page is ${width} px wide on a phone`);
  });

  test("the threshold and the downloads follow the user", { timeout: PATIENCE }, async () => {
    await open(`?device=cpu&size=${CPU_SIZE}`);
    await showTheDuck();
    await drop(page, queryDoor(page), files.sample("bathroom.jpg"));
    await found(page, "bathroom.jpg");
    const count = async () => (await downloadMask(page, "bathroom.jpg")).data.filter(Boolean).length;
    await page.getByLabel("Threshold").fill("15");
    const generous = await settledCount(count);
    await page.getByLabel("Threshold").fill("60");
    const strict = await settledCount(count);
    assert.ok(strict < generous, `${strict} pixels at 60 %, ${generous} at 15 %`);
    await openCard(page, "bathroom.jpg");
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: /^Download what was found in bathroom/ }).click();
    const cut = decodePng(readFileSync(await (await download).path()));
    assert.deepEqual([cut.width, cut.height, cut.channels], [480, 360, 4]);
    assert.equal(cut.data.filter((value, at) => at % 4 === 3 && value === 255).length, strict);
  });

  test("undo, clear, eraser and keys work on the easel", { timeout: PATIENCE }, async () => {
    await open("?device=cpu&size=64");
    await drop(page, showDoor(page), files.sample("duck.jpg"));
    const bare = page.getByText(/^Nothing is painted in duck.jpg yet/);
    const painted = page.getByText(/% of duck.jpg is painted/);
    await bare.waitFor();
    await easel(page).focus();
    await page.keyboard.press("Space");
    await painted.waitFor();
    await page.keyboard.press("Control+z");
    await bare.waitFor();
    await page.keyboard.press("Control+Shift+z");
    await painted.waitFor();
    await page.getByRole("button", { name: "Eraser" }).click();
    await easel(page).focus();
    await page.keyboard.press("Space");
    await bare.waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await painted.waitFor();
    await page.getByRole("button", { name: "Clear the painting" }).click();
    await bare.waitFor();
  });

  test("a file over the easel may be its mask", { timeout: PATIENCE }, async () => {
    await open("?device=cpu&size=64");
    await drop(page, showDoor(page), files.sample("duck.jpg"));
    await easel(page).waitFor();
    await dropAt(page, easel(page), 0.25, files.sample("duck-mask.png"));
    await page.getByText(/^18 % of duck.jpg is painted/).waitFor();
    await dropAt(page, easel(page), 0.75, files.sample("picnic.jpg"));
    await page.getByLabel("Paint on picnic.jpg").waitFor();
    await page.getByRole("button", { name: "picnic.jpg, nothing painted yet" }).waitFor();
    await page.getByRole("button", { name: /^duck.jpg, painted/ }).click();
    await page.getByLabel("Paint on duck.jpg").waitFor();
    await page.getByRole("button", { name: "Remove duck.jpg" }).click();
    await page.getByLabel("Paint on picnic.jpg").waitFor();
  });

  test("a mask finds its picture by name, also later", { timeout: PATIENCE }, async () => {
    await open("?device=cpu&size=64");
    await drop(page, showDoor(page), files.sample("duck.jpg"));
    await easel(page).waitFor();
    await drop(page, showDoor(page), files.sample("duck-mask.png"));
    await page.getByText(/^18 % of duck.jpg is painted/).waitFor();
    assert.equal(await page.getByRole("alert").count(), 0);
  });

  test("a stroke stays with the picture it began on", { timeout: PATIENCE }, async () => {
    await open("?device=cpu&size=64");
    await drop(page, showDoor(page), files.sample("duck.jpg"));
    await easel(page).waitFor();
    const box = await easel(page).boundingBox();
    assert.ok(box);
    await page.mouse.move(box.x + 40, box.y + 60);
    await page.mouse.down();
    await page.getByLabel("Choose pictures that show the thing").setInputFiles(files.sample("picnic.jpg"));
    await page.getByText(/^Nothing is painted in picnic.jpg yet/).waitFor();
    await page.mouse.move(box.x + 140, box.y + 60, { steps: 5 });
    await page.mouse.up();
    await page.getByLabel("Paint on picnic.jpg").waitFor();
    await page.getByRole("button", { name: "picnic.jpg, nothing painted yet" }).waitFor();
    await page.getByRole("button", { name: /^duck.jpg, painted/ }).click();
    await page.getByText(/% of duck.jpg is painted/).waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText(/^Nothing is painted in duck.jpg yet/).waitFor();
    assert.ok(await page.getByRole("button", { name: "Undo" }).isDisabled());
  });

  test("a redo with nothing to redo sets nothing to work", { timeout: PATIENCE }, async () => {
    await open("?device=cpu&size=64");
    await showTheDuck();
    await drop(page, queryDoor(page), files.sample("lawn.jpg"));
    await page.getByText("Done: 1 picture looked through.").waitFor({ timeout: PATIENCE });
    const busy = await page.evaluateHandle(countBusy);
    await page.keyboard.press("Control+Shift+z");
    await page.waitForTimeout(1_000);
    assert.equal(await busy.evaluate(({ times }) => times), 0);
  });

  test("weights that come in the middle of the work are worked with", { timeout: PATIENCE }, async () => {
    await open(`?device=cpu&size=${CPU_SIZE}`);
    await ready(page);
    await drop(page, queryDoor(page), files.sample("lawn.jpg"));
    await showTheDuck();
    await page.getByText("Looking at what you painted").waitFor();
    await drop(page, queryDoor(page), files.weights);
    await page.getByText("Done: 1 picture looked through.").waitFor({ timeout: PATIENCE });
    await found(page, "lawn.jpg");
    assert.equal(await page.getByRole("alert").count(), 0);
  });

  test("a program that stops says so and can be started again", { timeout: PATIENCE }, async () => {
    await open("?device=cpu&size=64");
    await ready(page);
    await showTheDuck();
    await page.workers()[0]?.evaluate(() => void setTimeout(() => { throw new WebAssembly.RuntimeError("unreachable"); }));
    await page.getByRole("alert").filter({ hasText: /stopped at an error \(.*unreachable.*Start again/ }).waitFor();
    await page.getByRole("button", { name: "Start again" }).click();
    await drop(page, queryDoor(page), files.sample("lawn.jpg"));
    await page.getByText("Done: 1 picture looked through.").waitFor({ timeout: PATIENCE });
  });

  test("nothing moves for those who want no motion", { timeout: PATIENCE }, async () => {
    await open("?device=cpu", { reducedMotion: "reduce" });
    // The weights do not come, so the page stays as it is while it loads.
    await page.context().route("**/*.safetensors", () => {});
    const asked = page.context().waitForEvent("request", (request) => request.url().endsWith(".wasm"));
    await page.reload();
    await asked;
    await page.getByText("Loading", { exact: true }).waitFor();
    assert.equal(await page.evaluate(() => document.getAnimations().length), 0);
    await page.emulateMedia({ reducedMotion: "no-preference" });
    assert.ok(await page.evaluate(() => document.getAnimations().length) > 0, "it moves for the others");
  });

  test("two pictures teach together, and the page answers meanwhile", { timeout: PATIENCE }, async () => {
    await open(`?device=cpu&size=${CPU_SIZE}`);
    await drop(page, showDoor(page), files.sample("duck.jpg"), files.sample("duck-mask.png"));
    await page.getByText(/^18 % of duck.jpg is painted/).waitFor();
    await drop(page, showDoor(page), files.sample("picnic.jpg"));
    await page.getByLabel("Paint on picnic.jpg").waitFor();
    await drop(page, maskDoor(page), files.truth("picnic"));
    await page.getByText(/^13 % of picnic.jpg is painted/).waitFor();
    await drop(page, queryDoor(page), files.sample("bathroom.jpg"));
    const turns = await page.evaluateHandle(countTurns);
    await found(page, "bathroom.jpg");
    const taken = await turns.evaluate(({ taken }) => taken);
    assert.ok(taken >= LEAST_TURNS, `the page got to run ${taken} times while the worker was at work`);
    await assertFound("bathroom", LEAST_OVERLAP.cpu);
  });

  test("a picture that a camera has turned is found upright", { timeout: PATIENCE }, async () => {
    await open("?device=cpu&size=128");
    await showTheDuck();
    await drop(page, queryDoor(page), files.upright);
    await card(page, "upright.jpg").getByText(/^(Found, |Not found here)/).waitFor({ timeout: PATIENCE });
    await openCard(page, "upright.jpg");
    const box = await page.getByRole("img", { name: "upright.jpg", exact: true }).boundingBox();
    assert.ok(box && box.height > box.width, "it stands");
    await page.getByLabel("Threshold").fill("1");
    await card(page, "upright.jpg").getByText(/^Found, /).waitFor();
    const { width, height } = await downloadMask(page, "upright.jpg");
    assert.deepEqual([width, height], [360, 480]);
  });

  test("a finger paints", { timeout: PATIENCE }, async () => {
    await open("?device=cpu&size=64", { viewport: { width: 375, height: 812 }, hasTouch: true, isMobile: true });
    await drop(page, showDoor(page), files.sample("duck.jpg"));
    await easel(page).scrollIntoViewIfNeeded();
    await easel(page).tap();
    await page.getByText(/% of duck.jpg is painted/).waitFor();
  });
});

/** In the page: counts from now on how often its own thread gets to run. */
function countTurns() {
  const turns = { taken: 0 };
  setInterval(() => turns.taken++, 10);
  return turns;
}

/** In the page: counts from now on how often its status says that it is at work. */
function countBusy() {
  const busy = { times: 0 };
  const words = document.querySelector("#status-words");
  if (words) new MutationObserver(() => busy.times++).observe(words, { childList: true, characterData: true, subtree: true });
  return busy;
}

/** The threshold takes effect soon, not at once: reads until it has stayed the same. @param {() => Promise<number>} read */
async function settledCount(read) {
  let last = -1;
  for (let next = await read(); next !== last; next = await read()) last = next;
  return last;
}

describe("bad input gets a sentence, and the page goes on", () => {
  before(async () => {
    browser = await launch({ webgpu: true });
    await open("?device=cpu&size=64");
    await showTheDuck();
  });
  after(async () => {
    assertNothingLeft();
    await browser.close();
  });

  /** @param {RegExp} sentence */
  async function told(sentence) {
    const notice = page.getByRole("alert").filter({ hasText: sentence });
    await notice.waitFor({ timeout: PATIENCE });
    console.log(`  “${(await notice.textContent())?.trim()}”`);
    await notice.getByRole("button", { name: "Dismiss" }).click();
    await notice.waitFor({ state: "detached" });
  }

  /** A good picture is still looked through. */
  async function goesOn() {
    await drop(page, queryDoor(page), files.sample("lawn.jpg"));
    await card(page, "lawn.jpg").getByText(/^(Found, |Not found here)/).waitFor({ timeout: PATIENCE });
    await openCard(page, "lawn.jpg");
    await page.getByRole("button", { name: "Remove lawn.jpg" }).click();
    assert.equal(await page.getByRole("alert").count(), 0);
  }

  /** @type {[string, () => Promise<void>, RegExp][]} */
  const cases = [
    ["not a picture", () => drop(page, queryDoor(page), files.notAPicture), /notes\.txt: not a readable JPEG, PNG or WebP/],
    ["not a picture, though its name says so", () => drop(page, queryDoor(page), files.disguised), /disguised\.jpg: not a readable/],
    ["not a picture to paint on", () => drop(page, showDoor(page), files.notAPicture), /notes\.txt: not a readable/],
    ["a picture too large", () => drop(page, queryDoor(page), files.tooLarge), /poster\.png: 40000 x 40000 .*make it smaller/],
    ["a truncated picture", () => drop(page, queryDoor(page), files.truncated), /broken\.jpg: the file is cut off/],
    ["an empty mask", () => drop(page, maskDoor(page), files.emptyMask), /nothing-mask\.png is an empty mask/],
    ["a mask of another size", () => drop(page, maskDoor(page), files.otherSizeMask), /small-mask\.png: the mask is 240 x 180 .* 480 x 360/],
    ["a mask that is no picture", () => drop(page, maskDoor(page), files.notAPicture), /notes\.txt: not a readable/],
    ["a mask without its picture", () => drop(page, showDoor(page), files.orphanMask), /swan-mask\.png .*picture named swan.*Bring the two together/],
    ["weights of another program", () => drop(page, queryDoor(page), files.foreignWeights), /weight file: it is no fewseg weight file/],
    ["weights of another model", () => drop(page, queryDoor(page), files.otherModel), /weight file: .*belongs to another model/],
    ["weights that break off", () => drop(page, queryDoor(page), files.brokenWeights), /weight file: it is cut off or damaged/],
    ["a PyTorch checkpoint", () => drop(page, queryDoor(page), files.checkpoint), /best\.pt: .*fewseg import best\.pt --backbone/],
    ["an ONNX file", () => drop(page, showDoor(page), files.onnx), /net\.onnx: .*Only \.safetensors weight files of fewseg/],
  ];
  for (const [name, mistake, sentence] of cases) {
    test(name, { timeout: PATIENCE }, async () => {
      await mistake();
      await told(sentence);
      await goesOn();
    });
  }

  test("nothing painted", { timeout: PATIENCE }, async () => {
    await page.getByRole("button", { name: "Clear the painting" }).click();
    await page.getByText(/^Nothing is painted in duck.jpg yet/).waitFor();
    await drop(page, queryDoor(page), files.sample("picnic.jpg"));
    await card(page, "picnic.jpg").getByText("Waiting for you to paint the thing").waitFor();
    await page.getByRole("button", { name: "Undo" }).click();
    await goesOn();
  });
});

describe("nothing leaves the machine", () => {
  /** @type {import("node:http").Server} */
  let elsewhere;
  let reached = 0;
  let address = "";

  before(async () => {
    browser = await launch({ webgpu: true });
    elsewhere = createServer((_, response) => {
      reached++;
      response.writeHead(200, { "access-control-allow-origin": "*" }).end();
    });
    await new Promise((resolve) => elsewhere.listen(0, "127.0.0.1", () => resolve(undefined)));
    const bound = elsewhere.address();
    address = `http://127.0.0.1:${typeof bound === "object" ? bound?.port : ""}/`;
  });
  after(async () => {
    elsewhere.close();
    await browser.close();
  });
  beforeEach(() => open("?device=cpu&size=64"));
  afterEach(() => page.close());

  /** @param {string} url */
  const call = (url) => fetch(url).then(() => "went out", () => "held back");

  test("the policy holds back the page", { timeout: PATIENCE }, async () => {
    assert.equal(await page.evaluate(call, address), "held back");
    assert.equal(reached, 0);
  });

  test("the policy holds back the worker", { timeout: PATIENCE }, async () => {
    await ready(page);
    const [worker] = page.workers();
    assert.ok(worker);
    assert.equal(await worker.evaluate(call, address), "held back");
    assert.equal(reached, 0);
  });
});

describe("in a browser without WebGPU", () => {
  before(async () => {
    browser = await launch({ webgpu: false });
  });
  after(() => browser.close());
  afterEach(() => page.close());

  test("the page says so and runs on the CPU", { timeout: PATIENCE }, async () => {
    await open(`?size=${CPU_SIZE}`);
    await page.getByText("CPU", { exact: true }).first().waitFor({ timeout: PATIENCE });
    await page.getByRole("alert").filter({ hasText: /WebGPU/ }).waitFor();
    await showTheDuck();
    await drop(page, queryDoor(page), files.sample("lawn.jpg"));
    await found(page, "lawn.jpg");
    assertNothingLeft();
  });

  test("on a phone the note makes room for what follows", { timeout: PATIENCE }, async () => {
    await open(`?size=${CPU_SIZE}`, { viewport: { width: 375, height: 812 } });
    const note = page.getByRole("alert").filter({ hasText: /WebGPU/ });
    await note.waitFor({ timeout: PATIENCE });
    await page.screenshot({ path: `${SHOTS}no-webgpu-empty-375.png` });
    await note.getByRole("button", { name: "Dismiss" }).click();
    await page.getByRole("button", { name: "Try the duck" }).click();
    await page.getByText("Done: 3 pictures looked through.").waitFor({ timeout: PATIENCE });
    await page.screenshot({ path: `${SHOTS}no-webgpu-375.png`, fullPage: true });
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= 375, `the page is ${width} px wide on a phone`);
    const header = await page.getByRole("banner").boundingBox();
    assert.ok(header && header.height <= TALLEST_HEADER, `the header is ${header?.height} px high on a phone`);
    await page.getByRole("button", { name: /^Device, network/ }).click();
    await page.locator("#settings").getByText(/WebGPU/).waitFor();
  });

  test("a GPU that is insisted on is missed in a sentence, and the CPU is one choice away", { timeout: PATIENCE }, async () => {
    await open("?device=webgpu&size=64");
    const missing = page.getByRole("alert").filter({ hasText: /WebGPU/ });
    await missing.waitFor({ timeout: PATIENCE });
    assert.doesNotMatch((await missing.textContent()) ?? "", /runs on the CPU/);
    await page.getByRole("button", { name: /^Device, network/ }).click();
    await page.getByLabel("CPU").check({ force: true });
    await page.getByText("CPU", { exact: true }).first().waitFor({ timeout: PATIENCE });
    await ready(page);
  });
});
