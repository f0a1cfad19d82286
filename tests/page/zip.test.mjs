// The zip that the page writes, read back by its own directory.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { launch } from "./browser.mjs";
import { crc } from "./png.mjs";
import { serve } from "./server.mjs";

/** @param {string} path */
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** @type {Awaited<ReturnType<typeof serve>>} */
let server;
/** @type {import("playwright-core").Browser} */
let browser;
/** @type {import("playwright-core").Page} */
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
  page = await browser.newPage({ acceptDownloads: true });
  await page.goto(`${server.url}bare.html`);
});
afterEach(() => page.close());

/** The files of a zip that packs nothing tighter. @param {Buffer} zip */
function unzip(zip) {
  const end = zip.lastIndexOf(Buffer.from("PK\x05\x06", "latin1"));
  let at = zip.readUInt32LE(end + 16);
  return Array.from({ length: zip.readUInt16LE(end + 10) }, () => {
    const [check, size, nameLength, extra, comment] = [zip.readUInt32LE(at + 16), zip.readUInt32LE(at + 20), zip.readUInt16LE(at + 28), zip.readUInt16LE(at + 30), zip.readUInt16LE(at + 32)];
    const head = zip.readUInt32LE(at + 42);
    const name = zip.toString("utf8", at + 46, at + 46 + nameLength);
    const start = head + 30 + zip.readUInt16LE(head + 26) + zip.readUInt16LE(head + 28);
    const bytes = zip.subarray(start, start + size);
    assert.equal(crc(bytes), check, `${name} is as its check sum says`);
    at += 46 + nameLength + extra + comment;
    return { name, bytes };
  });
}

/** Asks for a zip of so many files; tells how it ended, what was reported, and whether the making was stopped. @param {{ count: number, picker: boolean, cancelAt?: number }} wish */
const saveZip = (wish) =>
  page.evaluate(async ({ path, count, picker, cancelAt }) => {
    const { saveZip } = await import(path);
    const folder = await navigator.storage.getDirectory();
    const handle = () => folder.getFileHandle("out.zip", { create: true });
    Object.assign(window, { showSaveFilePicker: picker ? handle : undefined });
    const stop = new AbortController();
    let made = 0;
    let closed = false;
    async function* files() {
      try {
        for (; made < count; made++) {
          if (made === cancelAt) stop.abort();
          yield { name: made % 2 ? `masks/größe-${made}.png` : "masks/same.png", bytes: new Uint8Array(100_000).fill(made) };
        }
      } finally {
        closed = true;
      }
    }
    /** @type {{ files: number, bytes: number }[]} */
    const reports = [];
    const saved = await saveZip("fewseg.zip", files(), { report: (/** @type {never} */ report) => reports.push(report), signal: stop.signal });
    const written = picker ? [...new Uint8Array(await (await (await handle()).getFile()).arrayBuffer())] : [];
    return { saved, reports, made, closed, written };
  }, { path: "./js/zip.js", ...wish });

/** @param {{ name: string, bytes: Buffer }[]} files */
function assertFour(files) {
  assert.deepEqual(files.map(({ name }) => name), ["masks/same.png", "masks/größe-1.png", "masks/same (2).png", "masks/größe-3.png"]);
  files.forEach(({ bytes }, at) => assert.ok(bytes.length === 100_000 && bytes.every((value) => value === at)));
}

test("a zip is written straight to the disk, with its files whole and told apart", async () => {
  const { saved, reports, written } = await saveZip({ count: 4, picker: true });
  assert.equal(saved, true);
  assertFour(unzip(Buffer.from(written)));
  assert.deepEqual(reports.at(-1), { files: 4, bytes: 400_000 });
});

test("a browser that cannot do that gets it as a download", async () => {
  const download = page.waitForEvent("download");
  assert.equal((await saveZip({ count: 4, picker: false })).saved, true);
  const file = await download;
  assert.equal(file.suggestedFilename(), "fewseg.zip");
  assertFour(unzip(readFileSync(await file.path())));
});

test("a zip of hundreds is drawn as it is written", async () => {
  const download = page.waitForEvent("download");
  const { reports } = await saveZip({ count: 300, picker: false });
  assert.equal(unzip(readFileSync(await (await download).path())).length, 300);
  assert.deepEqual(reports.at(-1), { files: 300, bytes: 30_000_000 });
});

for (const picker of [true, false]) {
  test(`a cancelled zip is no file, and nothing more is made for it (${picker ? "disk" : "download"})`, async () => {
    page.on("download", () => assert.fail("nothing is to be downloaded"));
    const { saved, made, closed, written } = await saveZip({ count: 50, picker, cancelAt: 5 });
    assert.deepEqual([saved, closed, written.length], [false, true, 0]);
    assert.ok(made < 50, `${made} of 50 were made`);
  });
}
