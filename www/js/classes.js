// The classes to look for: a chip for each, to choose, rename, recolour, hide or remove it.
import { deflate, inflate } from "./deflate.js";
import { find, icon, keepList, make } from "./dom.js";
import { BACKGROUND, renumber } from "./painting.js";
import { inSlices } from "./slices.js";
import { change, lessons, state, teach, tell, watch } from "./state.js";

/** @typedef {import("./state.js").Class} Class */

/** Told apart by eye on light and dark pictures, and by most people who see fewer colours. */
const COLOURS = ["#ff2d75", "#1f8fff", "#ff9f1a", "#12a86b", "#8a4dff", "#e6c700", "#00a8b5", "#b0532b", "#6f7d8c", "#d94cd4"];
const MOST = 250;
/** More pictures of a class hardly teach more, and each has to be compared with every picture that is looked through. */
const MANY = 20;

const list = find("ul", "classes");
/** @type {number | undefined} the class that the user has just asked for, to be named as soon as its chip is there */
let unnamed;

/** The class of a name, which is made if there is none yet. @param {string} name @returns {Class} */
export function classNamed(name) {
  const wanted = name.trim().toLowerCase();
  return state.classes.find((known) => known.name.toLowerCase() === wanted) ?? addClass(name.trim());
}

/** @param {string} [name] @returns {Class} */
export function addClass(name) {
  // A number that a task has used stays its own: the file still knows what it stood for.
  const taken = new Set([...state.classes.map(({ number }) => number), ...(state.task?.numbers ?? [])]);
  let number = 1;
  while (taken.has(number)) number++;
  if (number > MOST) throw new Error(`There are ${MOST} classes already, and a label has no room for more. Remove one first.`);
  const colour = COLOURS.find((colour) => !state.classes.some((known) => known.colour === colour)) ?? COLOURS[number % COLOURS.length] ?? "#ff2d75";
  const added = { number, name: name || `thing ${number}`, colour, hidden: false };
  change({ classes: [...state.classes, added], currentClass: number });
  return added;
}

/** The class that is painted, which is made if there is none yet. */
export const paintedClass = () => state.classes.find(({ number }) => number === state.currentClass) ?? state.classes[0] ?? addClass("thing");

/** @param {Class} one @param {Partial<Class>} news */
function update(one, news) {
  change({ classes: state.classes.map((known) => (known.number === one.number ? { ...known, ...news } : known)) });
}

/** Its pixels go with it, also where something was decided: numbers are given again. @param {Class} one */
async function remove(one) {
  const others = () => state.classes.filter(({ number }) => number !== one.number);
  // Meanwhile another is painted.
  if (state.currentClass === one.number) change({ currentClass: others()[0]?.number ?? 1 });
  for (const { painting } of [...state.supports, ...state.queries]) await painting?.removeClass(one.number);
  for (const query of state.queries) {
    const before = query.settled;
    const labels = before && (await inflate(before));
    if (!labels?.includes(one.number)) continue;
    await inSlices(renumber(labels, one.number, BACKGROUND));
    const settled = await deflate(labels);
    if (query.settled === before) Object.assign(query, { settled, preview: undefined });
  }
  const classes = others();
  const task = state.task?.numbers.some((number) => classes.some((known) => known.number === number)) ? state.task : undefined;
  change({ classes, task });
  teach();
}

/** How many supports show it. @param {Class} one */
const shots = ({ number }) => state.supports.filter(({ painting }) => painting?.counts().has(number)).length;

/** @param {Class & { id: string }} entry */
function create({ number, name }) {
  const known = () => /** @type {Class} */ (state.classes.find((one) => one.number === number));
  const colour = make("input", { type: "color", title: "Colour" });
  colour.addEventListener("change", () => update(known(), { colour: colour.value }));
  const choose = make("input", { type: "radio", name: "class", value: String(number) });
  choose.addEventListener("change", () => {
    // What is painted must be seen.
    update(known(), { hidden: false });
    change({ currentClass: number });
  });
  const text = make("input", { type: "text", value: name, className: "class-name", maxLength: 60, spellcheck: false });
  text.addEventListener("change", () => (text.value.trim() ? update(known(), { name: text.value.trim() }) : (text.value = known().name)));
  text.addEventListener("focus", () => change({ currentClass: number }));
  const count = make("span", { className: "shots-count" });
  const hide = make("button", { type: "button", className: "quiet" }, icon("eye"));
  hide.addEventListener("click", () => update(known(), { hidden: !known().hidden }));
  const drop = make("button", { type: "button", className: "quiet" }, icon("remove"));
  drop.addEventListener("click", () => void remove(known()).catch(tell));
  return make("li", {}, make("label", { className: "class-choice" }, choose, make("span", { className: "swatch" })), text, colour, count, hide, drop);
}

/** @param {HTMLElement} item @param {Class} one */
function refresh(item, one) {
  const [choose, text, colour] = /** @type {HTMLInputElement[]} */ ([...item.querySelectorAll("input")]);
  const [hide, drop] = [...item.querySelectorAll("button")];
  if (!choose || !colour || !text || !hide || !drop) return;
  item.style.setProperty("--class", one.colour);
  item.classList.toggle("hidden-class", one.hidden);
  choose.checked = one.number === state.currentClass;
  choose.setAttribute("aria-label", `Paint ${one.name}`);
  colour.value = one.colour;
  colour.setAttribute("aria-label", `Colour of ${one.name}`);
  if (document.activeElement !== text) text.value = one.name;
  text.setAttribute("aria-label", `Name of class ${one.number}`);
  const many = shots(one);
  const count = /** @type {HTMLElement} */ (item.querySelector(".shots-count"));
  count.textContent = many === 0 ? "" : `${many}`;
  count.title = `${many} painted ${many === 1 ? "picture" : "pictures"}`;
  hide.setAttribute("aria-label", `Hide ${one.name}`);
  hide.setAttribute("aria-pressed", String(one.hidden));
  drop.setAttribute("aria-label", `Remove the class ${one.name}`);
}

/** @param {HTMLElement} item */
function toBeNamed(item) {
  const name = /** @type {HTMLInputElement | null} */ (item.querySelector(".class-name"));
  name?.focus();
  name?.select();
}

/** The classes that it has been told of. @type {Set<number>} */
const toldOf = new Set();

/** @param {Class} one */
function tellOfMany({ number, name }) {
  const many = lessons().filter(({ painting }) => painting?.counts().has(number)).length;
  if (many <= MANY) return void toldOf.delete(number);
  if (toldOf.has(number)) return;
  toldOf.add(number);
  tell(`“${name}” is painted in ${many} pictures. ${MANY} of a class are enough: more make every search slower and hardly better. Leave the least telling ones out.`);
}

function show() {
  state.classes.forEach(tellOfMany);
  const entries = state.classes.map((one) => ({ ...one, id: String(one.number) }));
  keepList(list, entries, create);
  for (const one of state.classes) {
    const item = /** @type {HTMLElement | null} */ (list.querySelector(`[data-item="${one.number}"]`));
    if (item) refresh(item, one);
    if (item && one.number === unnamed) toBeNamed(item);
  }
  unnamed = undefined;
}

function addNew() {
  try {
    unnamed = addClass().number;
  } catch (trouble) {
    tell(trouble);
  }
}

export function setUpClasses() {
  find("button", "add-class").addEventListener("click", addNew);
  watch(show);
}
