// Renders www/icon.svg to the PNGs that installing as an app wants, in the browser of the tests:
// node scripts/render-icons.mjs, after every change of the drawing. They are committed.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { launch } from "../tests/page/browser.mjs";

const svg = readFileSync(new URL("../www/icon.svg", import.meta.url), "utf8");
const folder = new URL("../www/icons/", import.meta.url);

/** Devices cut their own shape out of a maskable icon and leave a circle of four fifths; the icon fills the rest. */
const SHAPES = [
  { name: "icon-192.png", side: 192, inside: 1, around: "transparent" },
  { name: "icon-512.png", side: 512, inside: 1, around: "transparent" },
  { name: "maskable-512.png", side: 512, inside: 0.9, around: "#ff2d75" },
];

mkdirSync(folder, { recursive: true });
const browser = await launch({ webgpu: false });
for (const { name, side, inside, around } of SHAPES) {
  const page = await browser.newPage({ viewport: { width: side, height: side } });
  const room = `display: grid; place-items: center; width: ${side}px; height: ${side}px; background: ${around}`;
  const drawing = svg.replace("<svg ", `<svg width="${side * inside}" height="${side * inside}" `);
  await page.setContent(`<body style="margin: 0"><div style="${room}">${drawing}</div>`);
  writeFileSync(new URL(name, folder), await page.screenshot({ omitBackground: true }));
  await page.close();
}
await browser.close();
