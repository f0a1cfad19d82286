// A learned task as one small file: saved, and opened again without its pictures.
import { find, save } from "./dom.js";
import { change, lessons, state, teach, tell, watch } from "./state.js";
import { ask, classes, openTask } from "./work.js";

/** @param {Blob & { name: string }} file */
export async function bringTask(file) {
  try {
    if (state.supports.length > 0) {
      throw new Error(`${file.name} is a task of its own, and would take the place of the pictures that are painted here. Save those as a task if you need them, remove them, and bring it again.`);
    }
    if (state.queries.some(({ settled }) => settled)) {
      throw new Error(`${file.name} has classes of its own, and the accepted pictures have those of before. Save what is accepted, remove those pictures, and bring it again.`);
    }
    const { classes: known, shots, look } = await openTask(file.name, file);
    change({
      classes: known.map((one) => ({ ...one, hidden: false })),
      currentClass: known[0]?.number ?? 1,
      task: { name: file.name, shots, numbers: known.map(({ number }) => number), file },
      open: undefined,
      look,
    });
    teach();
  } catch (trouble) {
    tell(trouble);
  }
}

async function saveTask() {
  try {
    const bytes = await ask("saveTask", { classes: classes(), look: state.look });
    const name = state.classes.map(({ name }) => name).join("-").replace(/[^\p{L}\p{N}-]+/gu, "_").slice(0, 60);
    save(new Blob([/** @type {BlobPart} */ (bytes)]), `${name || "task"}.fewseg`);
  } catch (trouble) {
    tell(trouble);
  }
}

export function setUpTask() {
  const button = find("button", "save-task");
  button.addEventListener("click", () => void saveTask());
  watch(() => {
    button.disabled = !state.learnt.able || state.learnt.lesson !== state.lesson || (lessons().length === 0 && !state.task);
    find("p", "task").hidden = !state.task;
    find("span", "task-name").textContent = state.task ? `${state.task.name}, learned from ${state.task.shots} ${state.task.shots === 1 ? "picture" : "pictures"}` : "";
  });
}
