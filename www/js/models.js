// The networks: the one that came with the page and those that the user has brought, which the browser keeps.
import { find, icon, keepList, make } from "./dom.js";
import { takeChoices } from "./doors.js";
import { change, state, tell, watch } from "./state.js";
import { useWeights } from "./work.js";

/** @typedef {import("./state.js").Model} Model */

const list = find("ul", "models");

/** Networks of other programs are told from ours by their names, before they are read. @param {File} file */
function refuseForeign({ name }) {
  if (/\.pth?$/i.test(name)) {
    throw new Error(`${name}: this page does not read PyTorch files. Convert it with “fewseg import ${name} --backbone … --out NAME.safetensors” and drop that.`);
  }
  if (/\.onnx$/i.test(name)) throw new Error(`${name}: this page does not read ONNX files. Only .safetensors weight files of fewseg are read.`);
}

/** @param {File} file */
export async function addModel(file) {
  try {
    refuseForeign(file);
    await useWeights(file);
    const model = { id: crypto.randomUUID(), name: file.name, file };
    change({ models: [...state.models.filter(({ name }) => name !== file.name), model], model: model.id });
  } catch (trouble) {
    tell(trouble);
  }
}

/** @param {Model | undefined} model */
async function use(model) {
  try {
    await useWeights(model?.file);
    change({ model: model?.id });
  } catch (trouble) {
    tell(trouble);
    change();
  }
}

/** @param {Model} model */
function remove(model) {
  change({ models: state.models.filter(({ id }) => id !== model.id) });
  if (state.model === model.id) void use(undefined);
}

/** @param {number} bytes */
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

/** @param {{ id: string, name: string, size: string, model?: Model }} entry */
function create({ name, size, model }) {
  const choose = make("input", { type: "radio", name: "model" });
  choose.addEventListener("change", () => void use(model));
  const item = make("li", {}, make("label", {}, choose, make("span", {}, name), make("small", {}, size)));
  if (!model) return item;
  const drop = make("button", { type: "button", className: "quiet", "aria-label": `Remove ${name} from this browser` }, icon("remove"));
  drop.addEventListener("click", () => remove(model));
  item.append(drop);
  return item;
}

function show() {
  const kept = state.models.map((model) => ({ id: model.id, name: model.name, size: megabytes(model.file.size), model }));
  keepList(list, [{ id: "default", name: "Default", size: "came with the page" }, ...kept], create);
  for (const item of /** @type {HTMLElement[]} */ ([...list.children])) {
    const choose = item.querySelector("input");
    if (choose) choose.checked = item.dataset["item"] === (state.model ?? "default");
  }
}

export function setUpModels() {
  takeChoices(find("input", "weights-file"), ([file]) => file && void addModel(file));
  watch(show);
}
