// What is kept in the browser is there again: after a reload, in the middle of writing, and when there is no room.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { launch } from "./browser.mjs";
import { serve } from "./server.mjs";

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("playwright-core").JSHandle<any>} Handle */

/** @param {string} path */
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** @type {Awaited<ReturnType<typeof serve>>} */
let server;
/** @type {import("playwright-core").Browser} */
let browser;
/** @type {import("playwright-core").BrowserContext} */
let context;
/** @type {Page} */
let page;

before(async () => {
  server = await serve(here("pages/"), here("../../www/"));
  browser = await launch({ webgpu: false });
});
after(async () => {
  await browser.close();
  await server.close();
});
beforeEach(async () => {
  context = await browser.newContext();
  page = await context.newPage();
  await page.goto(`${server.url}bare.html`);
});
afterEach(() => context.close());

/** The store of a page, and what it has told. @param {Page} [of] @returns {Promise<Handle>} */
const openStore = (of = page) =>
  of.evaluateHandle(async (path) => {
    /** @type {string[]} */
    const told = [];
    const { openStore } = await import(path);
    const store = await openStore((/** @type {string} */ sentence) => told.push(sentence));
    return Object.assign(store, { told });
  }, "./js/store.js");

/** @param {Handle} store @returns {Promise<string[]>} */
const told = (store) => store.evaluate(({ told }) => told);

/** What is loaded, with the files' contents in the files' places. @param {Handle} store @returns {Promise<{ meta?: any, supports: any[], queries: any[], weights: any[] }>} */
const contents = (store) =>
  store.evaluate(async (store) => {
    const loaded = await store.load();
    const read = async (/** @type {any} */ record) => {
      for (const [field, value] of Object.entries(record)) if (value instanceof Blob) record[field] = `${value.type} ${await value.text()}`;
      return record;
    };
    for (const kind of ["supports", "queries", "weights"]) loaded[kind] = await Promise.all(loaded[kind].map(read));
    return loaded;
  });

/** Puts pictures q0, q1, …, with their names as contents. @param {Handle} store @param {number} from @param {number} to */
const putQueries = (store, from, to) =>
  store.evaluate((store, [from, to]) => {
    for (let n = from; n < to; n++) {
      const file = new File([`bytes of ${n}`], `${n}.jpg`, { type: "image/jpeg" });
      store.put("queries", { id: `q${n}`, name: `${n}.jpg`, file, width: 4, height: 3, order: n, lesson: -1 });
    }
  }, /** @type {[number, number]} */ ([from, to]));

/** @param {Handle} store */
const settled = (store) => store.evaluate((store) => store.settled());

test("after a reload everything is there, in order, with its bytes", async () => {
  const store = await openStore();
  await store.evaluate(async (store, path) => {
    const { deflate } = await import(path);
    const file = new File(["duck"], "duck.jpg", { type: "image/jpeg" });
    store.put("meta", { id: "meta", classes: [{ number: 1, name: "duck", colour: "#ff2d75" }], threshold: 0.4 });
    store.put("supports", { id: "s2", name: "later.jpg", file, width: 2, height: 2, order: 2 });
    store.put("supports", { id: "s1", name: "duck.jpg", file, width: 300, height: 200, order: 1, labels: () => deflate(new Uint8Array(60_000).fill(1)) });
    store.put("queries", { id: "q1", name: "lawn.jpg", file, width: 4, height: 3, order: 0, lesson: 3, result: Uint8Array.of(1, 2, 3), accepted: true, thumb: new Blob(["small"], { type: "image/jpeg" }) });
    store.put("weights", { id: "w1", name: "resnet.safetensors", file: new Blob(["weights"]), size: 7, added: 5, order: 0 });
  }, "./js/deflate.js");
  await settled(store);
  await page.reload();
  const again = await openStore();
  const { meta, supports, queries, weights } = await contents(again);
  assert.deepEqual(meta, { id: "meta", classes: [{ number: 1, name: "duck", colour: "#ff2d75" }], threshold: 0.4 });
  assert.deepEqual(supports.map(({ name, file }) => [name, file]), [["duck.jpg", "image/jpeg duck"], ["later.jpg", "image/jpeg duck"]]);
  assert.deepEqual([queries[0].accepted, queries[0].thumb, queries[0].lesson], [true, "image/jpeg small", 3]);
  assert.deepEqual([...Object.values(queries[0].result)], [1, 2, 3]);
  assert.deepEqual([weights[0].file, weights[0].size], [" weights", 7]);
  const labels = await again.evaluate(async (store, path) => {
    const { inflate } = await import(path);
    const [{ labels }] = (await store.load()).supports;
    const bytes = await inflate(labels);
    return { kept: labels.length, length: bytes.length, all: bytes.every((/** @type {number} */ value) => value === 1) };
  }, "./js/deflate.js");
  assert.deepEqual([labels.length, labels.all], [60_000, true]);
  assert.ok(labels.kept < 1_000, `${labels.kept} bytes are kept of 60000`);
  assert.deepEqual(await told(again), []);
});

test("a reload in the middle of writing loses the last moment and leaves nothing by halves", async () => {
  const store = await openStore();
  await store.evaluate((store) => {
    const page = /** @type {any} */ (window);
    page.put = [];
    setInterval(() => {
      const n = page.put.length;
      const file = new File([new Uint8Array(200_000).fill(n), `end ${n}`], `${n}.jpg`);
      store.put("queries", { id: `q${n}`, name: `${n}.jpg`, file, width: 4, height: 3, order: n, lesson: -1 });
      page.put.push(performance.now());
    }, 10);
  });
  await page.waitForFunction(() => /** @type {any} */ (window).put.length > 60);
  const before = await page.evaluate(() => /** @type {any} */ (window).put.length);
  // Time for what has been put by now, while more is on its way.
  await page.waitForTimeout(2_000);
  await page.reload();
  const { queries } = await contents(await openStore());
  assert.ok(queries.length >= before, `${queries.length} of ${before} are kept`);
  queries.forEach(({ id, file }, at) => {
    assert.equal(id, `q${at}`);
    assert.ok(file.endsWith(`end ${at}`), `${id} is whole`);
  });
});

test("a picture is written once, however often its record changes", async () => {
  await page.evaluate(() => {
    const { put } = IDBObjectStore.prototype;
    const page = /** @type {any} */ (window);
    page.files = 0;
    IDBObjectStore.prototype.put = function (/** @type {unknown} */ value, /** @type {IDBValidKey | undefined} */ key) {
      if (value instanceof Blob) page.files++;
      return put.call(this, value, key);
    };
  });
  const store = await openStore();
  await store.evaluate(async (store) => {
    const file = new File(["bytes"], "a.jpg");
    for (let lesson = 0; lesson < 4; lesson++) {
      store.put("queries", { id: "a", name: "a.jpg", file, width: 4, height: 3, order: 0, lesson });
      await store.settled();
    }
  });
  assert.equal(await page.evaluate(() => /** @type {any} */ (window).files), 1);
  const { queries } = await contents(store);
  assert.deepEqual([queries[0].lesson, queries[0].file], [3, " bytes"]);
});

test("what is removed is gone, and everything can be forgotten at once", async () => {
  const store = await openStore();
  await putQueries(store, 0, 3);
  await settled(store);
  await store.evaluate((store) => store.remove("queries", "q1"));
  await settled(store);
  assert.deepEqual((await contents(store)).queries.map(({ id }) => id), ["q0", "q2"]);
  await putQueries(store, 3, 4);
  await store.evaluate((store) => void store.forgetAll());
  await putQueries(store, 4, 5);
  await settled(store);
  await page.reload();
  const loaded = await contents(await openStore());
  assert.deepEqual(loaded.queries.map(({ id, file }) => [id, file]), [["q4", "image/jpeg bytes of 4"]]);
  assert.equal(loaded.meta, undefined);
});

test("a second tab says that it keeps nothing, and the next one keeps again", async () => {
  const first = await openStore();
  await putQueries(first, 0, 1);
  await settled(first);
  const other = await context.newPage();
  await other.goto(`${server.url}bare.html`);
  const second = await openStore(other);
  assert.match((await told(second)).join(), /^fewseg is open in another tab, and that one keeps your work/);
  await putQueries(second, 1, 2);
  await settled(second);
  assert.equal(await second.evaluate((store) => store.keeps), false);
  await page.close();
  await other.reload();
  const third = await openStore(other);
  assert.deepEqual((await contents(third)).queries.map(({ id }) => id), ["q0"]);
  assert.deepEqual(await told(third), []);
});

test("without room it says so once, and what is small is still kept", async () => {
  const store = await openStore();
  const devtools = await context.newCDPSession(page);
  const origin = new URL(server.url).origin;
  await devtools.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 3e6 });
  await store.evaluate((store) => {
    for (let n = 0; n < 4; n++) store.put("queries", { id: `large${n}`, name: "large.jpg", file: new Blob([crypto.getRandomValues(new Uint8Array(65_536)), new Uint8Array(8e6)]), width: 4, height: 3, order: n, lesson: -1 });
  });
  await putQueries(store, 0, 2);
  await settled(store);
  assert.equal((await told(store)).length, 1);
  assert.match((await told(store)).join(), /^The browser has no room left for this page\..*save your results/);
  assert.deepEqual((await contents(store)).queries.map(({ id }) => id), ["q0", "q1"]);
  await devtools.send("Storage.overrideQuotaForOrigin", { origin });
  await store.evaluate((store) => store.put("queries", { id: "large", name: "large.jpg", file: new Blob([new Uint8Array(8e6)]), width: 4, height: 3, order: 9, lesson: -1 }));
  await settled(store);
  assert.deepEqual((await contents(store)).queries.map(({ id }) => id), ["q0", "q1", "large"]);
});

test("a record that cannot be kept is named and costs no other", async () => {
  const store = await openStore();
  await putQueries(store, 0, 1);
  await store.evaluate((store) => {
    const file = new Blob(["bytes"]);
    store.put("queries", { id: "bad", name: "bad.jpg", file, width: 4, height: 3, order: 1, lesson: -1, labels: () => Promise.reject(new Error("no labels")) });
  });
  await putQueries(store, 2, 3);
  await settled(store);
  assert.deepEqual(await told(store), ["bad.jpg could not be kept: no labels"]);
  assert.deepEqual((await contents(store)).queries.map(({ id }) => id), ["q0", "q2"]);
});

test("where the browser keeps nothing the page is told so and goes on", async () => {
  await page.addInitScript(() => Object.defineProperty(window, "indexedDB", { value: undefined }));
  await page.reload();
  const store = await openStore();
  assert.match((await told(store)).join(), /^This browser window keeps nothing/);
  await putQueries(store, 0, 2);
  await settled(store);
  assert.deepEqual(await contents(store), { supports: [], queries: [], weights: [] });
  assert.equal((await told(store)).length, 1);
});

test("how much room there is can be asked", async () => {
  const store = await openStore();
  await putQueries(store, 0, 1);
  await settled(store);
  const { used, room } = await store.evaluate((store) => store.usage());
  assert.ok(used > 0 && room > used, `${used} of ${room}`);
});
