// Every tool of the easel in a real browser, used as a person uses it: with the mouse, fingers, a pen and the keys. What
// has been painted is read from the line below the tools.
import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { PATIENCE, clickOn, dragOver, drop, easel, launch, placeOn, showDoor } from "./browser.mjs";
import * as files from "./files.mjs";
import { serve } from "./server.mjs";

/** @typedef {import("playwright-core").Page} Page */
/** @typedef {import("./browser.mjs").Place} Place */

const DIST = process.env["DIST"] ?? fileURLToPath(new URL("../../dist", import.meta.url));

/** @type {Awaited<ReturnType<typeof serve>>} */
let server;
/** @type {import("playwright-core").Browser} */
let browser;
/** @type {Page} */
let page;
/** remembers which fingers are down @type {import("playwright-core").CDPSession} */
let devtools;
/** @type {string[]} */
let complaints = [];

/** The duck on the easel, nothing painted. @param {Parameters<typeof browser.newPage>[0]} [settings] */
async function open(settings = {}) {
  page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...settings });
  page.setDefaultTimeout(30_000);
  devtools = await page.context().newCDPSession(page);
  complaints = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(`${server.url}?device=cpu&size=64`);
  await drop(page, showDoor(page), files.sample("duck.jpg"));
  await easel(page).waitFor();
  await easel(page).scrollIntoViewIfNeeded();
  await bare();
}

const bare = () => page.getByText("Nothing is painted yet.").waitFor();

/** What the line below the tools says is painted, in percent of the picture: of the only class, and of what is not sure. */
async function painted() {
  const text = (await page.locator("#painted").textContent()) ?? "";
  const shares = text.split(", ").filter((part) => part.includes("%"));
  const figure = (/** @type {string | undefined} */ part) => Number(part?.match(/([\d.]+) %$/)?.[1] ?? 0);
  return { thing: figure(shares.find((part) => !part.startsWith("not sure"))), unsure: figure(shares.find((part) => part.startsWith("not sure"))) };
}

/** Waits until so much of the picture is painted, in percent. @param {number} least @param {number} most @param {"thing" | "unsure"} [what] */
async function isPainted(least, most, what = "thing") {
  let share = -1;
  for (let tries = 0; tries < 100; tries++) {
    share = (await painted())[what];
    if (share >= least && share <= most) return share;
    await page.waitForTimeout(50);
  }
  return assert.fail(`${share} % is painted, not ${least} to ${most} %`);
}

/** What is painted of the only class, once the page shows the last of several strokes. */
async function shown() {
  let before = -1;
  for (;;) {
    const { thing } = await painted();
    if (thing === before) return thing;
    before = thing;
    await page.waitForTimeout(250);
  }
}

/** @param {Place} place */
const at = (place) => placeOn(page, place);
/** @param {Place[]} places */
const drag = (...places) => dragOver(page, places);
/** @param {Place} place */
const click = (place) => clickOn(page, place);

/** @param {string} name */
const press = (name) => page.getByRole("button", { name, exact: true }).click();

/** @param {string} name */
const isPressed = async (name) => (await page.getByRole("button", { name, exact: true }).getAttribute("aria-pressed")) === "true";

/** The page shows what has changed a moment later. @param {() => Promise<boolean>} question @param {string} [what] */
async function comes(question, what) {
  for (let tries = 0; tries < 100; tries++) {
    if (await question()) return;
    await page.waitForTimeout(50);
  }
  assert.fail(what ?? "it did not come");
}

/** How near the picture is, in percent of where all of it is seen. */
const nearness = async () => Number.parseInt((await page.getByRole("button", { name: /: show the whole picture$/ }).textContent()) ?? "");

/** One step of one or more fingers; those no longer named are lifted. @param {"touchStart" | "touchMove" | "touchEnd"} type @param {Place[]} places */
async function fingers(type, ...places) {
  const touchPoints = await Promise.all(places.map(async (place, id) => ({ ...(await at(place)), id })));
  await devtools.send("Input.dispatchTouchEvent", { type, touchPoints });
}

before(async () => {
  server = await serve(DIST);
  browser = await launch({ webgpu: false });
});
after(async () => {
  await browser.close();
  await server.close();
});
afterEach(async () => {
  assert.deepEqual(complaints, []);
  await page.close();
});

describe("with the mouse", { timeout: PATIENCE }, () => {
  test("the brush paints, the eraser erases, and the not-sure brush marks what is left out", async () => {
    await open();
    await drag([0.2, 0.3], [0.8, 0.3]);
    const brushed = await isPainted(4, 12);
    await press("Eraser");
    await drag([0.5, 0.3], [0.8, 0.3]);
    const left = await isPainted(1, brushed - 2);
    await press("Not sure");
    await drag([0.2, 0.8], [0.8, 0.8]);
    await isPainted(4, 12, "unsure");
    await isPainted(left, left);
    await press("Clear the painting");
    await bare();
    await press("Undo");
    await isPainted(4, 12, "unsure");
  });

  test("the brush's size is on the screen, so what is near is painted finely", async () => {
    await open();
    await click([0.5, 0.5]);
    const whole = await isPainted(0.3, 3);
    await press("Undo");
    for (let step = 0; step < 3; step++) await press("Zoom in");
    await click([0.5, 0.5]);
    await isPainted(0.01, whole / 2);
  });

  test("a polygon is closed by a double click, and by its first corner", async () => {
    await open();
    await press("Polygon");
    for (const place of /** @type {Place[]} */ ([[0.2, 0.2], [0.7, 0.2], [0.7, 0.7]])) await click(place);
    const { x, y } = await at([0.2, 0.7]);
    await page.mouse.dblclick(x, y);
    await isPainted(24, 26);
    await press("Undo");
    await bare();
    for (const place of /** @type {Place[]} */ ([[0.2, 0.2], [0.7, 0.2], [0.7, 0.7], [0.2, 0.2]])) await click(place);
    await isPainted(12, 13);
  });

  test("an open polygon has its own buttons, and undo takes back its corners first", async () => {
    await open();
    await press("Polygon");
    const closing = page.getByRole("button", { name: "Close the outline" });
    assert.ok(await closing.isDisabled());
    for (const place of /** @type {Place[]} */ ([[0.2, 0.2], [0.7, 0.2], [0.7, 0.7], [0.2, 0.7], [0.1, 0.9]])) await click(place);
    await press("Remove the last corner");
    await closing.click();
    await isPainted(24, 26);
    for (const place of /** @type {Place[]} */ ([[0.8, 0.8], [0.9, 0.8]])) await click(place);
    await press("Undo");
    await press("Undo");
    await isPainted(24, 26);
    await press("Undo");
    await bare();
    await click([0.5, 0.5]);
    await press("Drop the outline");
    assert.ok(await page.getByRole("button", { name: "Drop the outline" }).isDisabled());
  });

  test("the lasso fills what it goes round", async () => {
    await open();
    await press("Lasso");
    await drag([0.2, 0.2], [0.7, 0.2], [0.7, 0.7], [0.2, 0.7], [0.2, 0.21]);
    await isPainted(24, 26);
  });

  test("filling takes what a brushed outline goes round, from inside it and from the outline itself", async () => {
    await open();
    await page.getByLabel("Brush size").fill("10");
    await drag([0.3, 0.3], [0.7, 0.3], [0.7, 0.7], [0.3, 0.7], [0.3, 0.29]);
    const outline = await isPainted(2, 8);
    await press("Fill");
    await click([0.5, 0.5]);
    const whole = await isPainted(15, 20);
    await press("Undo");
    await isPainted(outline, outline);
    await click([0.3, 0.5]);
    await isPainted(whole, whole);
    await press("Undo");
    await click([0.05, 0.05]);
    await isPainted(100 - whole + outline - 0.6, 100 - whole + outline + 0.6);
  });

  test("Escape drops the stroke in hand", async () => {
    await open();
    for (const tool of ["Brush", "Lasso"]) {
      await press(tool);
      const [from, to] = [await at([0.2, 0.2]), await at([0.8, 0.8])];
      await page.mouse.move(from.x, from.y);
      await page.mouse.down();
      await page.mouse.move(to.x, from.y, { steps: 5 });
      await page.keyboard.press("Escape");
      await page.mouse.move(to.x, to.y, { steps: 5 });
      await page.mouse.up();
    }
    await press("Brush");
    await bare();
    assert.ok(await page.getByRole("button", { name: "Undo" }).isDisabled());
  });

  test("any tool erases while Alt is held", async () => {
    await open();
    await press("Lasso");
    await drag([0.2, 0.2], [0.7, 0.2], [0.7, 0.7], [0.2, 0.7]);
    await isPainted(24, 26);
    await page.keyboard.down("Alt");
    await drag([0.1, 0.1], [0.45, 0.1], [0.45, 0.9], [0.1, 0.9]);
    await page.keyboard.up("Alt");
    await isPainted(12, 13);
  });

  test("the wheel comes nearer to the pointer, and what is painted there is painted there", async () => {
    await open();
    const { x, y } = await at([0.25, 0.25]);
    await page.mouse.move(x, y);
    for (let turn = 0; turn < 4; turn++) await page.mouse.wheel(0, -200);
    await page.getByRole("button", { name: /^4\d\d %: show/ }).waitFor();
    await page.mouse.down();
    await page.mouse.up();
    await isPainted(0.01, 0.5);
    await page.getByRole("button", { name: /: show the whole picture$/ }).click();
    await comes(async () => (await nearness()) === 100);
    await press("Eraser");
    await click([0.25, 0.25]);
    await bare();
  });

  test("the middle button and the space bar move the picture and paint nothing", async () => {
    await open();
    await press("Zoom in");
    await press("Zoom in");
    const { x, y } = await at([0.5, 0.5]);
    await page.mouse.move(x, y);
    await page.mouse.down({ button: "middle" });
    await page.mouse.move(x + 60, y + 40, { steps: 3 });
    await page.mouse.up({ button: "middle" });
    await easel(page).focus();
    await page.keyboard.down("Space");
    await page.mouse.down();
    await page.mouse.move(x + 2000, y + 2000, { steps: 3 });
    await page.mouse.up();
    await page.keyboard.up("Space");
    await bare();
    // Its top left corner is in the easel's now: a dot there is one there when all of it is seen.
    await click([0.02, 0.02]);
    await isPainted(0.01, 1);
    await page.keyboard.press("0");
    await press("Eraser");
    await click([0.01, 0.01]);
    await bare();
  });
});

describe("with the keys", { timeout: PATIENCE }, () => {
  test("arrows move, with Shift they paint, the space bar dots, and letters choose tools", async () => {
    await open();
    await easel(page).focus();
    await page.keyboard.press("Space");
    const dot = await isPainted(0.3, 3);
    for (let step = 0; step < 8; step++) await page.keyboard.press("Shift+ArrowRight");
    await isPainted(dot * 1.5, 10);
    const stroke = await shown();
    await page.keyboard.press("e");
    await comes(() => isPressed("Eraser"));
    await page.keyboard.press("Space");
    await isPainted(0.1, stroke - 0.1);
    await page.keyboard.press("Control+z");
    await isPainted(stroke, stroke);
    await page.keyboard.press("Control+Shift+z");
    await isPainted(0.1, stroke - 0.1);
    for (const [key, name] of [["n", "Not sure"], ["p", "Polygon"], ["l", "Lasso"], ["f", "Fill"], ["b", "Brush"]]) {
      await page.keyboard.press(key ?? "");
      await comes(() => isPressed(name ?? ""), name);
    }
  });

  test("a tool counts for the stroke that follows it at once", async () => {
    await open();
    await easel(page).focus();
    await page.keyboard.press("Space");
    await isPainted(0.3, 3);
    await easel(page).evaluate((canvas) => {
      const press = (/** @type {string} */ type, /** @type {string} */ key) => canvas.dispatchEvent(new KeyboardEvent(type, { key, bubbles: true }));
      press("keydown", "e");
      press("keydown", " ");
      press("keyup", " ");
    });
    await bare();
  });

  test("brackets set the brush's size, plus and minus and nought how near the picture is", async () => {
    await open();
    const size = async () => Number(await page.getByLabel("Brush size").inputValue());
    const before = await size();
    await page.keyboard.press("]");
    await comes(async () => (await size()) > before);
    await page.keyboard.press("[");
    await page.keyboard.press("[");
    await comes(async () => (await size()) < before);
    await page.keyboard.press("+");
    await comes(async () => (await nearness()) > 140);
    await page.keyboard.press("-");
    await comes(async () => (await nearness()) === 100);
    await page.keyboard.press("+");
    await page.keyboard.press("0");
    await comes(async () => (await nearness()) === 100);
  });

  test("a polygon is set corner by corner, taken back, dropped, and closed", async () => {
    await open();
    await page.keyboard.press("p");
    await easel(page).focus();
    const walk = async (/** @type {string} */ key) => {
      for (let step = 0; step < 10; step++) await page.keyboard.press(key);
    };
    const corner = async (/** @type {string} */ key) => {
      await walk(key);
      await page.keyboard.press("Space");
    };
    await page.keyboard.press("Space");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Space");
    for (const key of ["ArrowRight", "ArrowDown", "ArrowLeft"]) await corner(key);
    await corner("ArrowLeft");
    await page.keyboard.press("Backspace");
    await page.keyboard.press("Enter");
    await isPainted(5, 20);
  });

  test("a fill reaches to the border, from where the cursor is", async () => {
    await open();
    await page.keyboard.press("f");
    await easel(page).focus();
    await page.keyboard.press("Space");
    await isPainted(100, 100);
  });

  test("the cursor is kept in sight", async () => {
    await open();
    for (let step = 0; step < 4; step++) await page.keyboard.press("+");
    await easel(page).focus();
    for (let step = 0; step < 60; step++) await page.keyboard.press("ArrowRight");
    const [cursor, box] = await Promise.all([page.locator("#brush-cursor").boundingBox(), easel(page).boundingBox()]);
    assert.ok(cursor && box && cursor.x < box.x + box.width, "it is not beyond the easel");
  });

  test("the keys are listed on the page", async () => {
    await open();
    await page.keyboard.press("?");
    const list = page.getByRole("dialog", { name: "Keys and gestures" });
    await list.waitFor();
    await page.keyboard.press("Escape");
    await list.waitFor({ state: "hidden" });
    await press("Keys and gestures");
    await list.getByText("Remove the last corner").waitFor();
  });

  test("letters that are written are no shortcuts", async () => {
    await open();
    // Whatever fields the page has, a field is a field.
    await page.evaluate(() => document.body.append(Object.assign(document.createElement("input"), { id: "words" })));
    await page.locator("#words").pressSequentially("people");
    await comes(() => isPressed("Brush"));
    assert.equal(await page.locator("#words").inputValue(), "people");
  });
});

describe("with fingers and a pen", { timeout: PATIENCE }, () => {
  const phone = { viewport: { width: 360, height: 780 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };

  test("one finger paints", async () => {
    await open(phone);
    await fingers("touchStart", [0.2, 0.5]);
    for (let step = 3; step <= 8; step++) await fingers("touchMove", [step / 10, 0.5]);
    await fingers("touchEnd");
    await isPainted(5, 20);
  });

  test("two fingers come nearer and paint nothing, not even where the first came down", async () => {
    await open(phone);
    await fingers("touchStart", [0.4, 0.5]);
    await fingers("touchMove", [0.42, 0.5]);
    await fingers("touchStart", [0.42, 0.5], [0.6, 0.5]);
    for (let step = 1; step <= 6; step++) await fingers("touchMove", [0.42 - 0.04 * step, 0.5], [0.6 + 0.04 * step, 0.5]);
    // The finger that stays goes on moving the picture.
    await fingers("touchMove", [0.2, 0.5]);
    await fingers("touchMove", [0.3, 0.6]);
    await fingers("touchEnd");
    await comes(async () => (await nearness()) > 200);
    await bare();
    assert.ok(await page.getByRole("button", { name: "Undo" }).isDisabled());
    await easel(page).tap();
    await isPainted(0.01, 5);
  });

  test("a polygon is tapped and closed by its button", async () => {
    await open(phone);
    await page.getByRole("button", { name: "Polygon" }).tap();
    const box = await easel(page).boundingBox();
    assert.ok(box);
    for (const [across, down] of /** @type {Place[]} */ ([[0.2, 0.2], [0.7, 0.2], [0.7, 0.7], [0.2, 0.7]])) {
      await easel(page).tap({ position: { x: across * box.width, y: down * box.height } });
    }
    await page.getByRole("button", { name: "Close the outline" }).tap();
    await isPainted(24, 26);
  });

  test("nothing is wider than a small phone", async () => {
    await open(phone);
    for (const tool of ["Brush", "Polygon", "Lasso", "Fill"]) {
      await page.getByRole("button", { name: tool, exact: true }).tap();
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(width <= 360, `the page is ${width} px wide with ${tool}`);
    }
  });

  test("a pen that presses harder paints wider", async () => {
    await open();
    const stroke = async (/** @type {number} */ force) => {
      const pen = { button: /** @type {const} */ ("left"), buttons: 1, clickCount: 1, pointerType: /** @type {const} */ ("pen"), force };
      await devtools.send("Input.dispatchMouseEvent", { type: "mousePressed", ...(await at([0.2, 0.5])), ...pen });
      await devtools.send("Input.dispatchMouseEvent", { type: "mouseMoved", ...(await at([0.8, 0.5])), ...pen });
      await devtools.send("Input.dispatchMouseEvent", { type: "mouseReleased", ...(await at([0.8, 0.5])), ...pen, buttons: 0 });
    };
    await stroke(0.1);
    const light = await isPainted(0.5, 8);
    await press("Undo");
    await bare();
    await stroke(0.9);
    await isPainted(light * 1.5, 20);
  });
});
