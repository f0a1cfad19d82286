// "Show it": the pictures in which things are painted, as a strip, and the doors through which they come.
import { find, icon, keepList, make, takeChoices, takeDrops } from "./dom.js";
import { addAnnotation, addSupports, removeSupport } from "./intake.js";
import { change, openSupport, state, watch } from "./state.js";
import { urlOf } from "./urls.js";
import { percent } from "./words.js";

/** @typedef {import("./state.js").Support} Support */

const strip = find("ul", "shots");

/** @param {Support} support */
function thumbnail(support) {
  const choose = make("button", { type: "button", className: "shot", title: support.name });
  choose.append(make("img", { src: urlOf(support), alt: "" }));
  choose.addEventListener("click", () => change({ open: support.id }));
  return make("li", {}, choose);
}

/** @param {Support} support */
const shownClasses = ({ painting }) => state.classes.filter(({ number }) => painting?.counts().has(number));

function showStrip() {
  keepList(strip, state.supports, thumbnail);
  strip.hidden = state.supports.length === 0;
  for (const item of /** @type {HTMLElement[]} */ ([...strip.children])) {
    const support = state.supports.find(({ id }) => id === item.dataset["item"]);
    const button = item.querySelector("button");
    if (!support || !button) continue;
    const classes = shownClasses(support);
    button.style.setProperty("--class", classes[0]?.colour ?? "transparent");
    button.classList.toggle("bare", classes.length === 0);
    const words = classes.length > 0 ? `painted: ${classes.map(({ name }) => name).join(", ")}` : "nothing painted yet";
    button.setAttribute("aria-label", `${support.name}, ${words}`);
    button.setAttribute("aria-current", String(support.id === state.open));
  }
}

/** What there is to do, or what has been done, in one line. */
function advice() {
  const support = openSupport();
  if (!support) return "";
  if (!support.painting) return `Reading ${support.name} …`;
  const marked = support.painting.share;
  if (marked === 0) return `Nothing is painted in ${support.name} yet. Paint over the thing; roughly will do.`;
  return `${percent(marked)} of ${support.name} is painted.`;
}

function show() {
  showStrip();
  const line = find("p", "advice");
  const text = advice();
  if (line.textContent !== text) line.textContent = text;
  find("div", "subject-tools").hidden = !openSupport();
  find("button", "remove-support").setAttribute("aria-label", `Remove ${openSupport()?.name ?? "the picture"}`);
  find("section", "show").classList.toggle("filled", state.supports.length > 0);
  find("span", "support-door-text").textContent = state.supports.length > 0 ? "Add another picture that shows it" : "Drop or choose a picture of the thing";
}

export function setUpSupports() {
  takeDrops(find("label", "support-door"), (files) => void addSupports(files));
  takeChoices(find("input", "support-files"), (files) => void addSupports(files));
  takeDrops(find("label", "mask-door"), ([file]) => file && void addAnnotation(file));
  takeChoices(find("input", "mask-file"), ([file]) => file && void addAnnotation(file));
  takeDrops(find("div", "zone-mask"), ([file]) => file && void addAnnotation(file));
  takeDrops(find("div", "zone-picture"), (files) => void addSupports(files));
  takeDrops(find("div", "easel"), (files) => void addSupports(files));
  find("button", "remove-support").append(icon("remove"));
  find("button", "remove-support").addEventListener("click", () => {
    const support = openSupport();
    if (support) removeSupport(support);
  });
  watch(show);
}
