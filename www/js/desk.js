// A result on the easel: looked at closely, corrected with the same tools, taught with, accepted.
import { find } from "./dom.js";
import { deflate, inflate } from "./deflate.js";
import { removeQuery } from "./intake.js";
import { Painting } from "./painting.js";
import { change, openQuery, state, teach, tell, watch } from "./state.js";
import { labelsOf } from "./work.js";

/** @typedef {import("./state.js").Query} Query */

const bar = find("div", "query-bar");

/** @param {Query} query */
export function openOnEasel(query) {
  query.skipped = false;
  change({ open: query.id });
}

/** What a picture's labels are now: what was decided, what is on the easel, or what was found. @param {Query} query */
export async function finalLabels(query) {
  const { painting } = query;
  if (!painting?.edited) return query.settled ? inflate(query.settled) : labelsOf(query);
  await painting.rest();
  return painting.labels;
}

/** The labels on the easel, and the same deflated, with all that hands did meanwhile. @param {Painting} painting */
async function asPainted(painting) {
  for (;;) {
    await painting.rest();
    const { version } = painting;
    const labels = painting.labels.slice();
    const settled = await deflate(labels);
    if (painting.version === version && !painting.busy) return { labels, settled };
  }
}

/** Accepted pictures stay as they are, whatever is learned later. @param {Query} query */
export async function accept(query) {
  if (query.accepted) {
    Object.assign(query, { accepted: false, preview: undefined, settled: query.corrected ? query.settled : undefined });
    return change();
  }
  try {
    const drawn = query.painting?.edited ? query.painting : undefined;
    const settled = drawn ? (await asPainted(drawn)).settled : await deflate(await finalLabels(query));
    // A hand may have come meanwhile.
    if (!drawn && query.painting?.edited) return accept(query);
    const corrected = query.corrected || Boolean(drawn?.canUndo);
    Object.assign(query, { settled, accepted: true, corrected, preview: undefined, painting: undefined });
    change();
  } catch (trouble) {
    tell(trouble);
  }
}

/** The corrected picture joins the supports; the others are looked through again. @param {Query} query */
async function teachWith(query) {
  const { id, name, file, width, height, painting } = query;
  if (!painting) return;
  try {
    const { labels, settled } = await asPainted(painting);
    const taught = await Painting.of(width, height, labels);
    Object.assign(query, { settled, corrected: true, accepted: true, preview: undefined });
    const known = state.supports.find((support) => support.id === `taught-${id}`);
    // The second time it is another painting of the same support.
    if (known?.painting) await known.painting.replace(labels);
    else state.supports.push({ id: `taught-${id}`, name, file, width, height, painting: taught });
    change({ supports: [...state.supports], open: `taught-${id}` });
    query.painting = undefined;
    teach();
  } catch (trouble) {
    tell(trouble);
  }
}

/** The next picture that waits for a decision. @param {Query} query */
function following(query) {
  const at = state.queries.indexOf(query);
  const turn = [...state.queries.slice(at + 1), ...state.queries.slice(0, at)];
  return turn.find(({ accepted, found }) => found && !accepted);
}

/** @param {Query} query */
function words({ name, found, painting, accepted, corrected, progress, trouble, lesson }) {
  if (trouble) return trouble;
  if (corrected) return `${name}: corrected by you.`;
  if (accepted) return `${name}: accepted.`;
  if (painting?.canUndo) return `${name}: corrected; teach with it, or accept it as it is.`;
  if (progress || lesson !== state.lesson) return `${name}: being looked through …`;
  if (!found || !painting) return `${name} …`;
  return painting.share > 0 ? `${name}: right? Accept it. Wrong? Correct it and teach.` : `${name}: nothing found. Paint what was missed and teach.`;
}

/** The picture on the easel before, which need not be kept large once it is put away. @type {Query | undefined} */
let before;

function show() {
  const query = openQuery();
  if (before && before !== query && !before.painting?.edited) before.painting = undefined;
  before = query;
  bar.hidden = !query;
  if (!query) return;
  const line = find("p", "query-words");
  const text = words(query);
  if (line.textContent !== text) line.textContent = text;
  find("button", "remove-query").setAttribute("aria-label", `Remove ${query.name}`);
  find("button", "accept").disabled = !query.found && !query.painting;
  find("button", "accept").setAttribute("aria-pressed", String(query.accepted));
  find("button", "teach").disabled = !query.painting?.share;
  find("button", "next-query").disabled = !following(query);
}

export function setUpDesk() {
  const withOpen = (/** @type {(query: Query) => void} */ action) => () => {
    const query = openQuery();
    if (query) action(query);
  };
  find("button", "accept").addEventListener("click", withOpen((query) => void accept(query)));
  find("button", "teach").addEventListener("click", withOpen((query) => void teachWith(query)));
  find("button", "next-query").addEventListener("click", withOpen((query) => {
    const next = following(query);
    if (next) openOnEasel(next);
  }));
  find("button", "remove-query").addEventListener("click", withOpen(removeQuery));
  find("button", "back").addEventListener("click", () => change({ open: state.supports.at(-1)?.id }));
  watch(show);
}
