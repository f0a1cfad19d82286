// Seeing why: the place of a result that the user points at, and where in the supports the network finds its like,
// level by level: the hypercorrelation made visible.
import { find, make } from "./dom.js";
import { change, currentClass, openQuery, state, tell, watch } from "./state.js";
import { urlOf } from "./urls.js";
import { ask } from "./work.js";

/** @typedef {import("../fewseg").Match} Match */
/** @typedef {Match["levels"][number]} Level */
/** @typedef {import("./shapes.js").Point} Point */
/** @typedef {{ query: import("./state.js").Query, one: import("./state.js").Class, place: Point }} Question */

const panel = find("div", "why");
const shots = find("div", "why-shots");
const line = find("p", "why-words");
const button = find("button", "why-button");
const LEVELS = ["fine", "middle", "coarse"];
const INVITATION = "Point at a place in the picture, or go there with the arrow keys and press Enter.";
/** the picture that is asked about @type {import("./state.js").Query | undefined} */
let about;
/** what is shown, or being found out @type {Question | undefined} */
let asked;
let comparing = false;

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

/** Each level by its own largest value: levels differ in how like things get, and the place is what matters. @param {Level} level @param {number} most */
function draw({ width, height, values }, most) {
  const map = make("canvas", { width, height });
  const image = new ImageData(width, height);
  values.forEach((value, at) => image.data.set(heat(value / Math.max(most, 1e-6)), 4 * at));
  map.getContext("2d")?.putImageData(image, 0, 0);
  return map;
}

/** @param {Point} place  in shares of a picture */
const where = ({ x, y }) => `${Math.round(100 * x)}\u00a0% across, ${Math.round(100 * y)}\u00a0% down`;

/** The middle of the cell that is most alike, in shares of the picture. @param {Level} level @param {number} most @returns {Point} */
function best({ width, height, values }, most) {
  const at = values.indexOf(most);
  return { x: ((at % width) + 0.5) / width, y: (Math.floor(at / width) + 0.5) / height };
}

/** @param {import("./state.js").Support | undefined} support @param {Level} level @param {string} name  of the level */
function figure(support, level, name) {
  const most = level.values.reduce((most, value) => Math.max(most, value), 0);
  const picture = make("div", { className: "why-map" });
  if (support) picture.append(make("img", { src: urlOf(support), alt: "" }));
  picture.append(draw(level, most));
  if (most > 0) picture.append(spot(best(level, most)));
  const alike = most > 0 ? `most alike at ${where(best(level, most))}` : "nothing alike";
  const label = `${support?.name ?? "a picture of the task"}, ${name} level: ${alike}, ${most.toFixed(2)} of 1`;
  return make("figure", { "aria-label": label }, picture, make("figcaption", {}, `${name}, up to ${most.toFixed(2)}`));
}

/** @param {Point} place */
function spot({ x, y }) {
  const ring = make("div", { className: "why-best" });
  [ring.style.left, ring.style.top] = [`${100 * x}%`, `${100 * y}%`];
  return ring;
}

/** @param {Match} match */
function shot({ key, levels }) {
  const support = state.supports.find(({ id }) => key.startsWith(`${id}.`));
  const maps = levels.map((level, at) => figure(support, level, LEVELS[at] ?? ""));
  return make("div", { className: "why-shot" }, make("strong", {}, support?.name ?? "a picture of the task"), ...maps);
}

/** @param {Point} place */
function explain(place) {
  const [query, one] = [openQuery(), currentClass()];
  if (!query || !one) return;
  // The question may be there before the round that shows what it is about.
  turnTo(query);
  asked = { query, one, place };
  line.textContent = "Comparing …";
  if (!comparing) void answer();
}

/** Who points again before the answer has come wants that of the last place only. */
async function answer() {
  comparing = true;
  for (let question = asked; question; question = question === asked ? undefined : asked) {
    const { query, one, place } = question;
    try {
      const matches = await ask("why", { name: query.name, picture: query.file, ...place, number: one.number });
      if (question !== asked) continue;
      line.textContent = `Where the painted pictures of “${one.name}” look like the place at ${where(place)}, from fine to coarse:`;
      shots.replaceChildren(...matches.map(shot));
    } catch (trouble) {
      if (question === asked) line.textContent = INVITATION;
      tell(trouble);
    }
  }
  comparing = false;
}

/** Another picture, or none, begins without a question. @param {ReturnType<typeof openQuery>} query */
function turnTo(query) {
  if (query === about) return;
  about = query;
  asked = undefined;
  shots.replaceChildren();
  line.textContent = INVITATION;
}

function show() {
  const query = openQuery();
  if (state.asking && !query) change({ asking: false });
  const now = state.asking ? query : undefined;
  turnTo(now);
  button.setAttribute("aria-pressed", String(state.asking));
  button.disabled = !state.learnt.able && !state.asking;
  panel.hidden = !now;
  if (asked && asked.one !== currentClass()) explain(asked.place);
}

/** Who has come by keys goes on by keys; and nothing moves when the answer comes, because its place is in sight. */
function begin() {
  find("canvas", "easel-labels").focus({ preventScroll: true });
  panel.scrollIntoView({ block: "nearest" });
  find("div", "easel").scrollIntoView({ block: "nearest" });
}

/** @returns {Pick<import("./marking.js").Marks, "walked" | "pointed">} */
export function setUpWhy() {
  button.addEventListener("click", () => {
    change({ asking: !state.asking });
    // The panel is there after the round of changes.
    if (state.asking) queueMicrotask(begin);
  });
  find("canvas", "easel-labels").addEventListener("keydown", (event) => event.key === "Escape" && state.asking && change({ asking: false }));
  watch(show);
  return {
    pointed: explain,
    walked: (place) => {
      if (state.asking) line.textContent = `${where(place)}. Press Enter to ask about this place.`;
    },
  };
}
