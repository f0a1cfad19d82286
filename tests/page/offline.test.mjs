// The page without a network: served once from a folder as it is built, then with the server gone, then changed.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { launch } from "./browser.mjs";
import { sample } from "./files.mjs";
import { serve } from "./server.mjs";

/** @param {string} path */
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const READY = " Ready to work offline: this page now opens without a network, too.";

/** @type {string} */
let folder;
/** @type {Awaited<ReturnType<typeof serve>> | undefined} */
let server;
/** @type {import("playwright-core").Browser} */
let browser;
/** @type {import("playwright-core").BrowserContext} */
let context;
/** @type {import("playwright-core").Page} */
let page;
let address = "";

before(async () => {
  browser = await launch({ webgpu: false });
});
after(() => browser.close());
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "fewseg-offline-"));
  const site = join(folder, "some", "folder");
  for (const part of ["js", "icons", "vendor", "style.css", "grid.css", "icon.svg", "manifest.webmanifest", "sw.js"]) cpSync(here(`../../www/${part}`), join(site, part), { recursive: true });
  const html = readFileSync(here("pages/bare.html"), "utf8");
  writeFileSync(join(site, "index.html"), html.replace("</head>", '<link rel="manifest" href="manifest.webmanifest"><script type="module" src="start.js"></script></head>'));
  cpSync(here("pages/start.js"), join(site, "start.js"));
  build("first");
  server = await serve(folder);
  address = `${server.url}some/folder/`;
  context = await browser.newContext();
  page = await context.newPage();
});
afterEach(async () => {
  await context.close();
  await server?.close();
  rmSync(folder, { recursive: true });
});

/** Two files that have to be of one build. @param {string} version */
function build(version) {
  change(version, "a", "b");
  execFileSync(process.execPath, [here("../../scripts/list-build.mjs"), join(folder, "some", "folder")]);
}

/** @param {string} version @param {...string} files */
function change(version, ...files) {
  for (const file of files) writeFileSync(join(folder, "some", "folder", "js", `${file}.js`), `export const version = "${version}";`);
}

/** The page has started with these files, and has heard what there is to hear. @param {string} a @param {string} b @param {string} [told] */
const started = (a, b, told = "") => page.getByText(`Started with ${a} and ${b}.${told} Kept.`, { exact: true }).waitFor();

/** The service worker of a new build has come as far as it gets. */
const updated = () =>
  page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    const found = new Promise((resolve) => registration.addEventListener("updatefound", () => resolve(registration.installing)));
    await registration.update();
    const worker = registration.waiting ?? registration.installing ?? (await found);
    while (worker.state === "installing") await new Promise((resolve) => worker.addEventListener("statechange", resolve, { once: true }));
    return worker.state;
  });

test("after the first visit it opens with the network gone, threads and all", async () => {
  await page.goto(address);
  await started("first", "first", READY);
  await page.reload();
  await started("first", "first");
  await server?.close();
  server = undefined;
  await page.close();
  page = await context.newPage();
  await page.goto(`${address}index.html?device=cpu`);
  await started("first", "first");
  assert.equal(await page.evaluate(async () => (await fetch("icons/icon-512.png", { cache: "no-cache" })).headers.get("content-type")), "image/png");
  const bytes = [...readFileSync(sample("duck.jpg"))];
  const thumb = await page.evaluate(async ({ path, bytes }) => {
    const { Thumbs } = await import(path);
    const file = new Blob([Uint8Array.from(bytes)], { type: "image/jpeg" });
    const thumb = await new Promise((resolve) => new Thumbs().ask("a", { file, width: 480, height: 360 }, resolve));
    return thumb?.type;
  }, { path: "./js/thumbs.js", bytes });
  assert.equal(thumb, "image/jpeg");
});

test("a new build is taken at the next start, whole, and loads no more than what is new", async () => {
  await page.goto(address);
  await started("first", "first", READY);
  await page.reload();
  await started("first", "first");
  build("second");
  /** @type {string[]} */
  const asked = [];
  context.on("request", (request) => request.serviceWorker() && asked.push(request.url().slice(address.length)));
  assert.equal(await updated(), "installed");
  assert.deepEqual(asked.filter((path) => path !== "sw.js").sort(), ["build.json", "js/a.js", "js/b.js"]);
  await page.reload();
  await started("second", "second");
  await page.reload();
  await started("second", "second");
  await page.goto("about:blank");
  await page.goto(address);
  await started("second", "second");
  await page.waitForFunction(async () => (await caches.keys()).length === 2, undefined, { polling: 100 });
});

test("a second page keeps the build that the first has", async () => {
  await page.goto(address);
  await started("first", "first", READY);
  await page.reload();
  await started("first", "first");
  build("second");
  assert.equal(await updated(), "installed");
  const first = page;
  page = await context.newPage();
  await page.goto(address);
  await started("first", "first");
  await first.close();
  await page.reload();
  await started("second", "second");
});

test("of a build that is half there nothing is taken", async () => {
  await page.goto(address);
  await started("first", "first", READY);
  build("second");
  change("third", "b");
  assert.equal(await updated(), "redundant");
  await page.reload();
  await started("first", "first");
});

test("the browser would install it as an app", async () => {
  await page.goto(address);
  await started("first", "first", READY);
  const devtools = await context.newCDPSession(page);
  const { errors } = await devtools.send("Page.getAppManifest");
  assert.deepEqual(errors, []);
  const { installabilityErrors } = await devtools.send("Page.getInstallabilityErrors");
  // The tests' windows are private ones, and those install nothing.
  assert.deepEqual(installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== "in-incognito"), []);
});
