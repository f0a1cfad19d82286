// "Show it": the pictures in which things are painted, as a strip, and the doors through which they come.
import { find, icon, keepList, make } from "./dom.js";
import { takeChoices, takeDrops } from "./doors.js";
import { addAnnotation, addSupports, removeSupport, unique } from "./intake.js";
import { change, openSupport, state, teach, watch } from "./state.js";
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
    button.classList.toggle("left-out", support.hidden ?? false);
    const words = support.hidden ? "left out" : classes.length > 0 ? `painted: ${classes.map(({ name }) => name).join(", ")}` : "nothing painted yet";
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
  showTools();
  find("section", "show").classList.toggle("filled", state.supports.length > 0);
  find("span", "support-door-text").textContent = state.supports.length > 0 ? "Add another picture that shows it" : "Drop or choose a picture of the thing";
}

function showTools() {
  const support = openSupport();
  find("div", "subject-tools").hidden = !support;
  if (!support) return;
  const name = find("input", "support-name");
  if (document.activeElement !== name) name.value = support.name;
  find("button", "leave-out").setAttribute("aria-pressed", String(support.hidden ?? false));
  find("button", "leave-out").setAttribute("aria-label", `Leave ${support.name} out of learning`);
  find("button", "remove-support").setAttribute("aria-label", `Remove ${support.name}`);
}

/** @param {Partial<Support>} news */
function update(news) {
  const support = openSupport();
  if (!support) return;
  Object.assign(support, news);
  change();
}

export function setUpSupports() {
  takeDrops(find("label", "support-door"), (files) => void addSupports(files));
  takeChoices(find("input", "support-files"), (files) => void addSupports(files));
  takeDrops(find("label", "mask-door"), ([file]) => file && void addAnnotation(file));
  takeChoices(find("input", "mask-file"), ([file]) => file && void addAnnotation(file));
  takeDrops(find("div", "zone-mask"), ([file]) => file && void addAnnotation(file));
  takeDrops(find("div", "zone-picture"), (files) => void addSupports(files));
  takeDrops(find("div", "easel"), (files) => void addSupports(files));
  const name = find("input", "support-name");
  name.addEventListener("change", () => (name.value.trim() ? update({ name: unique(name.value.trim(), openSupport()) }) : change()));
  find("button", "leave-out").addEventListener("click", () => {
    update({ hidden: !openSupport()?.hidden });
    teach();
  });
  find("button", "remove-support").append(icon("remove"));
  find("button", "remove-support").addEventListener("click", () => {
    const support = openSupport();
    if (support) removeSupport(support);
  });
  watch(show);
}
