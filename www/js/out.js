// Everything out: what was found in all pictures, as masks, cut-outs, overlays and annotation files, in one zip.
import { finalLabels } from "./desk.js";
import { find, save } from "./dom.js";
import { stem } from "./intake.js";
import { openQuery, state, tell, watch } from "./state.js";
import { reason } from "./words.js";
import { ask, classes } from "./work.js";
import { saveZip } from "./zip.js";

/** @typedef {import("../fewseg").Kind} Kind */
/** @typedef {import("../fewseg").Packed} Packed */
/** @typedef {import("./state.js").Query} Query */

const dialog = find("dialog", "out");
const go = find("button", "out-go");
const bar = find("progress", "out-bar");
const words = find("p", "out-words");
/** @type {AbortController | undefined} while files are written */
let writing;

/** @returns {Kind[]} */
const kinds = () => [...document.querySelectorAll("#out input[name=kind]:checked")].map((box) => /** @type {Kind} */ (/** @type {HTMLInputElement} */ (box).value));

/** The pictures that there is something to say of. */
function chosen() {
  const ready = state.queries.filter((query) => query.settled || (query.found && query.lesson === state.lesson));
  return find("input", "out-accepted").checked ? ready.filter(({ accepted }) => accepted) : ready;
}

/** @param {Query[]} queries @param {Kind[]} kinds @param {AbortSignal} signal */
async function* files(queries, kinds, signal) {
  // What an interrupted saving left behind must not come along.
  await ask("packed", {});
  for (const [at, query] of queries.entries()) {
    signal.throwIfAborted();
    bar.value = at / queries.length;
    words.textContent = `${at + 1} of ${queries.length}: ${query.name}`;
    try {
      yield* await pack(query, kinds);
    } catch (trouble) {
      if (state.engine.phase !== "ready") throw trouble;
      tell(`${query.name} was left out: ${reason(trouble)}`);
    }
  }
  yield* await ask("packed", {});
}

/** @param {Query} query @param {Kind[]} kinds @returns {Promise<Packed[]>} */
export async function pack(query, kinds) {
  const { name, file: picture, width, height } = query;
  return ask("pack", { name, picture, labels: await finalLabels(query), width, height, classes: classes(), kinds });
}

/** One file of one picture, for its card. @param {Query} query @param {Kind} kind */
async function saveOne(query, kind) {
  // What an interrupted saving left behind must not come along.
  await ask("packed", {});
  const made = await pack(query, [kind]);
  await ask("packed", {});
  if (made.length === 0) throw new Error(`There is nothing to save of ${query.name}.`);
  for (const { name, bytes } of made) {
    const own = kind === "masks" ? `${stem(query.name)}-mask.png` : name.replace(/^.*\//, "");
    save(new Blob([/** @type {BlobPart} */ (bytes)]), own);
  }
}

async function write() {
  const queries = chosen();
  writing = new AbortController();
  show();
  try {
    const saved = await saveZip("fewseg.zip", files(queries, kinds(), writing.signal), { signal: writing.signal });
    words.textContent = saved ? `${queries.length} ${queries.length === 1 ? "picture" : "pictures"} saved.` : "";
  } catch (trouble) {
    if (!writing.signal.aborted) tell(trouble);
    words.textContent = "";
  } finally {
    writing = undefined;
    show();
  }
}

function show() {
  const many = chosen().length;
  find("button", "save-all").disabled = many === 0;
  go.disabled = many === 0 || kinds().length === 0 || writing !== undefined;
  go.textContent = `Save ${many} ${many === 1 ? "picture" : "pictures"}`;
  bar.hidden = writing === undefined;
  find("button", "out-cancel").textContent = writing ? "Cancel" : "Close";
}

/** @type {Promise<unknown>} */
let saving = Promise.resolve();

/** @param {"save-mask" | "save-cut"} id @param {Kind} kind @param {(name: string) => string} label */
function setUpOne(id, kind, label) {
  const button = find("button", id);
  button.addEventListener("click", () => {
    const query = openQuery();
    // One after another: the worker gathers files of one saving at a time.
    if (query) saving = saving.then(() => saveOne(query, kind)).catch(tell);
  });
  watch(() => {
    const query = openQuery();
    button.disabled = !query || writing !== undefined || (!query.settled && !query.painting?.canUndo && !(query.found && query.lesson === state.lesson));
    if (query) button.setAttribute("aria-label", label(query.name));
  });
}

export function setUpOut() {
  setUpOne("save-mask", "masks", (name) => `Download the mask of ${name} as PNG`);
  setUpOne("save-cut", "cutouts", (name) => `Download what was found in ${name}, cut out, as PNG`);
  find("button", "save-all").addEventListener("click", () => {
    words.textContent = "";
    dialog.showModal();
  });
  dialog.addEventListener("change", show);
  dialog.addEventListener("cancel", (event) => writing && event.preventDefault());
  go.addEventListener("click", () => void write());
  find("button", "out-cancel").addEventListener("click", () => (writing ? writing.abort() : dialog.close()));
  watch(show);
}
