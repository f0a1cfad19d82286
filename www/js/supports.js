// "Show it": the pictures in which the thing is painted, as a strip, and the doors through which they and masks come.
import { find, icon, keepList, make, takeChoices, takeDrops } from "./dom.js";
import { addMask, addSupports, removeSupport } from "./intake.js";
import { change, current, state, watch } from "./state.js";

/** @typedef {import("./state.js").Support} Support */

const strip = find("ul", "shots");
const easel = find("div", "easel");

/** @param {Support} support */
function thumbnail(support) {
  const button = make("button", { type: "button", className: "shot", title: support.name });
  button.append(make("img", { src: support.url, alt: "" }));
  button.addEventListener("click", () => change({ current: support.id }));
  return make("li", {}, button);
}

function showStrip() {
  keepList(strip, state.supports, thumbnail);
  strip.hidden = state.supports.length < 2;
  for (const item of /** @type {HTMLElement[]} */ ([...strip.children])) {
    const support = state.supports.find(({ id }) => id === item.dataset["item"]);
    const button = item.querySelector("button");
    if (!support || !button) continue;
    const painted = Boolean(support.painting?.share);
    button.classList.toggle("bare", !painted);
    button.setAttribute("aria-label", `${support.name}, ${painted ? "painted" : "nothing painted yet"}`);
    button.setAttribute("aria-current", String(support.id === state.current));
  }
}

/** What there is to do, or what has been done, in one line. */
function advice() {
  const support = current();
  if (!support) return "";
  if (!support.painting) return `Reading ${support.name} …`;
  const { share } = support.painting;
  if (share === 0) return `Nothing is painted in ${support.name} yet. Paint over the thing; roughly will do.`;
  return `${percent(share)} of ${support.name} is painted.`;
}

/** @param {number} share */
export const percent = (share) => (share < 0.001 ? "under 0.1 %" : `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`);

function show() {
  const support = current();
  showStrip();
  find("section", "show").classList.toggle("filled", Boolean(support));
  find("p", "advice").textContent = advice();
  find("div", "paint-tools").hidden = !support?.painting;
  find("button", "remove-support").setAttribute("aria-label", `Remove ${support?.name ?? "the picture"}`);
  find("span", "support-door-text").textContent = support ? "Add another picture of it" : "Drop or choose a picture of the thing";
}

/** Files over the easel can mean two things, so it offers both. */
function setUpEaselDrops() {
  takeDrops(find("div", "zone-mask"), ([file]) => file && void addMask(file));
  takeDrops(find("div", "zone-picture"), (files) => void addSupports(files));
  takeDrops(easel, (files) => void addSupports(files));
}

export function setUpSupports() {
  setUpEaselDrops();
  takeDrops(find("label", "support-door"), (files) => void addSupports(files));
  takeChoices(find("input", "support-files"), (files) => void addSupports(files));
  takeDrops(find("label", "mask-door"), ([file]) => file && void addMask(file));
  takeChoices(find("input", "mask-file"), ([file]) => file && void addMask(file));
  find("button", "remove-support").append(icon("remove"));
  find("button", "remove-support").addEventListener("click", () => {
    const support = current();
    if (support) removeSupport(support);
  });
  watch(show);
}
