// When the GPU compiles what it runs, and what the page says of how long things take.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { PATIENCE, drop, easel, found, launch, maskDoor, queryDoor, ready, showDoor } from "./browser.mjs";
import * as files from "./files.mjs";
import { serve } from "./server.mjs";

const DIST = process.env["DIST"] ?? fileURLToPath(new URL("../../dist", import.meta.url));
const STAGES = ["features", "correlation 2", "squeeze 2", "correlation 3", "squeeze 3", "correlation 4", "squeeze 4", "mix", "guide", "decode"];

/** Put before the worker's own script: keeps the shader of every pipeline that is made. */
const WATCH = `
  self.pipelines = [];
  const sources = new WeakMap();
  const makeModule = GPUDevice.prototype.createShaderModule;
  GPUDevice.prototype.createShaderModule = function (settings) {
    const shader = makeModule.call(this, settings);
    sources.set(shader, settings.code);
    return shader;
  };
  const makePipeline = GPUDevice.prototype.createComputePipeline;
  GPUDevice.prototype.createComputePipeline = function (settings) {
    self.pipelines.push(sources.get(settings.compute.module) + JSON.stringify(settings.compute.constants ?? {}));
    return makePipeline.call(this, settings);
  };
`;

/** @type {Awaited<ReturnType<typeof serve>>} */
let server;
/** @type {import("playwright-core").Browser} */
let browser;

before(async () => {
  server = await serve(DIST);
  browser = await launch({ webgpu: true });
});
after(async () => {
  await browser.close();
  await server.close();
});

/** @param {string} query */
async function open(query) {
  const page = await browser.newPage({ serviceWorkers: "block" });
  page.setDefaultTimeout(PATIENCE);
  return { page, go: () => page.goto(`${server.url}${query}`) };
}

/** @param {import("playwright-core").Page} page */
async function findTheDuck(page) {
  await drop(page, showDoor(page), files.sample("duck.jpg"));
  await easel(page).waitFor();
  await drop(page, maskDoor(page), files.sample("duck-mask.png"));
  await drop(page, queryDoor(page), files.sample("bathroom.jpg"));
  await found(page, "bathroom.jpg");
}

test("all that the GPU runs for a picture is compiled before the weights are there, and once", { timeout: PATIENCE }, async () => {
  const { page, go } = await open("?device=webgpu&size=128");
  const script = readFileSync(`${DIST}/js/worker.js`, "utf8");
  await page.route("**/js/worker.js", (route) => route.fulfill({ contentType: "text/javascript", body: script.replace(/^import init/m, `${WATCH}\nimport init`) }));
  /** @type {() => void} */
  let letThrough = () => undefined;
  const held = new Promise((go) => (letThrough = () => go(undefined)));
  await page.route("**/weights/*.safetensors", async (route) => {
    await held;
    await route.continue();
  });
  const started = page.waitForEvent("worker");
  await go();
  const worker = await started;
  const compiled = () => worker.evaluate(() => /** @type {{ pipelines?: string[] }} */ (/** @type {unknown} */ (self)).pipelines ?? []);
  await page.waitForFunction(() => document.body.textContent?.includes("Loading the network"));
  let before = await compiled();
  for (let still = 0; still < 5; still = before.length > 0 && before.length === (await compiled()).length ? still + 1 : 0) {
    before = await compiled();
    await page.waitForTimeout(400);
  }
  letThrough();
  await ready(page);
  await findTheDuck(page);
  const all = await compiled();
  assert.equal(new Set(all).size, all.length, "a pipeline was compiled twice");
  const late = all.slice(before.length).map((source) => /@workgroup_size[\s\S]{0,80}/.exec(source)?.[0]);
  assert.deepEqual(late, [], `${before.length} were compiled in time, these later`);
  await page.close();
});

for (const device of ["webgpu", "cpu"]) {
  test(`the stages of a picture are timed on ${device}`, { timeout: PATIENCE }, async () => {
    const { page, go } = await open(`?device=${device}&size=128`);
    await go();
    await ready(page);
    await page.getByRole("button", { name: /^Device, network/ }).click();
    const time = page.getByRole("button", { name: "Time a picture" });
    assert.ok(await time.isDisabled());
    await page.getByText("Paint something first").waitFor();
    await page.keyboard.press("Escape");
    await findTheDuck(page);
    await page.getByRole("button", { name: /^Device, network/ }).click();
    await time.click();
    const table = page.getByRole("table", { name: "What each stage of a picture takes" });
    await table.waitFor();
    const rows = await table.getByRole("row").evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent ?? "")));
    assert.deepEqual(rows.map(([name]) => name), [...STAGES, "together"]);
    const times = rows.map(([, time]) => parseFloat(time ?? ""));
    const sum = times.slice(0, -1).reduce((sum, time) => sum + time, 0);
    assert.ok(times.every((time) => time >= 0) && sum > 0 && Math.abs(sum - (times.at(-1) ?? 0)) < 1, String(times));
    await page.close();
  });
}
