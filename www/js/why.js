// Seeing why: the place of a result that the user points at, and where in the supports the network finds its like,
// level by level: the hypercorrelation made visible.
import { find, make } from "./dom.js";
import { placeAt } from "./marking.js";
import { currentClass, openQuery, state, tell, watch } from "./state.js";
import { urlOf } from "./urls.js";
import { ask } from "./work.js";

/** @typedef {import("../fewseg").Match} Match */
/** @typedef {Match["levels"][number]} Level */

const panel = find("div", "why");
const shots = find("div", "why-shots");
const button = find("button", "why-button");
const easel = find("div", "easel");
const mark = find("div", "why-mark");
let asking = false;
/** @type {string | undefined} the picture that the answer is about */
let askedFor;

/** From far to near, as a heat map reads: nothing, violet, red, yellow. @type {[number, number, number, number][]} */
const HEAT = [[30, 10, 90, 0], [120, 30, 160, 140], [230, 60, 70, 200], [255, 220, 60, 235]];

/** @param {number} value 0..1 @returns {[number, number, number, number]} */
function heat(value) {
  const at = Math.min(Math.max(value, 0), 1) * (HEAT.length - 1);
  const low = Math.min(Math.floor(at), HEAT.length - 2);
  const mix = (/** @type {0 | 1 | 2 | 3} */ channel) => {
    const [from, to] = [HEAT[low]?.[channel] ?? 0, HEAT[low + 1]?.[channel] ?? 0];
    return from + (to - from) * (at - low);
  };
  return [mix(0), mix(1), mix(2), mix(3)];
}

/** Each level by its own largest value: levels differ in how like things get, and the place is what matters. @param {Level} level */
function draw({ width, height, values }) {
  const map = make("canvas", { width, height });
  const image = new ImageData(width, height);
  const most = Math.max(1e-6, ...values);
  values.forEach((value, at) => image.data.set(heat(value / most), 4 * at));
  map.getContext("2d")?.putImageData(image, 0, 0);
  return map;
}

/** @param {Match} match */
function shot({ key, levels }) {
  const support = state.supports.find(({ id }) => key.startsWith(`${id}.`));
  const maps = levels.map((level, at) => {
    const most = Math.max(0, ...level.values);
    const picture = make("div", { className: "why-map" });
    if (support) picture.append(make("img", { src: urlOf(support), alt: "" }));
    picture.append(draw(level));
    const name = ["fine", "middle", "coarse"][at] ?? "";
    return make("figure", { "aria-label": `${support?.name ?? "a picture of the task"}, ${name} level` }, picture, make("figcaption", {}, `${name}, up to ${most.toFixed(2)}`));
  });
  return make("div", { className: "why-shot" }, make("strong", {}, support?.name ?? "a picture of the task"), ...maps);
}

/** @param {number} x @param {number} y  shares of the picture */
async function explain(x, y) {
  const query = openQuery();
  const one = currentClass();
  if (!query || !one) return;
  askedFor = query.id;
  const line = find("p", "why-words");
  line.textContent = "Comparing …";
  try {
    const matches = await ask("why", { name: query.name, picture: query.file, x, y, number: one.number });
    if (openQuery()?.id !== askedFor) return;
    line.textContent = `Where the painted pictures of “${one.name}” look like the place you pointed at, from fine to coarse:`;
    shots.replaceChildren(...matches.map(shot));
  } catch (trouble) {
    line.textContent = "";
    tell(trouble);
  }
}

/** While asking, the easel is pointed at, not painted on. @param {PointerEvent} event */
function point(event) {
  if (!asking) return;
  event.stopImmediatePropagation();
  event.preventDefault();
  const place = placeAt(event);
  if (!place) return;
  const box = easel.getBoundingClientRect();
  mark.hidden = false;
  mark.style.left = `${event.clientX - box.left}px`;
  mark.style.top = `${event.clientY - box.top}px`;
  void explain(place.x, place.y);
}

/** The middle of the picture, for those who use no pointer. @param {KeyboardEvent} event */
function key(event) {
  if (!asking || (event.key !== "Enter" && event.key !== " ")) return;
  event.stopImmediatePropagation();
  event.preventDefault();
  void explain(0.5, 0.5);
}

/** @param {boolean} now */
function setAsking(now) {
  asking = now;
  askedFor = openQuery()?.id;
  button.setAttribute("aria-pressed", String(now));
  panel.hidden = !now;
  mark.hidden = true;
  shots.replaceChildren();
  find("p", "why-words").textContent = now ? "Point at a place in the picture." : "";
  easel.classList.toggle("asking", now);
}

export function setUpWhy() {
  button.addEventListener("click", () => setAsking(!asking));
  easel.addEventListener("pointerdown", point, { capture: true });
  easel.addEventListener("keydown", key, { capture: true });
  watch(() => {
    if (!asking || openQuery()?.id === askedFor) return;
    askedFor = openQuery()?.id;
    setAsking(askedFor !== undefined);
  });
}
