// The ways in which files come: dropped, alone or in folders, pasted, and chosen.
import { tell } from "./state.js";

/**
 * Calls with the files that are dropped on an element; while files hover over it, it has the class "over".
 * @param {HTMLElement} element @param {(files: File[]) => void} take
 */
export function takeDrops(element, take) {
  let depth = 0;
  const over = (/** @type {number} */ now) => {
    depth = Math.max(now, 0);
    element.classList.toggle("over", depth > 0);
  };
  // A drop ends the hovering everywhere, also over what lies around the place that took it.
  document.addEventListener("drop", () => over(0), { capture: true });
  element.addEventListener("dragenter", () => over(depth + 1));
  element.addEventListener("dragleave", () => over(depth - 1));
  element.addEventListener("dragover", (event) => event.preventDefault());
  element.addEventListener("drop", (event) => {
    event.preventDefault();
    event.stopPropagation();
    void dropped(event.dataTransfer).then((files) => {
      if (files.length > 0) take(files);
    });
  });
}

/** The files of a drop, those in folders too, in the order of their names. @param {DataTransfer | null} transfer */
async function dropped(transfer) {
  // The entries have to be asked for before anything is waited for.
  const entries = [...(transfer?.items ?? [])].map((item) => item.webkitGetAsEntry());
  if (!entries.some((entry) => entry?.isDirectory)) return [...(transfer?.files ?? [])];
  const files = await Promise.all(entries.map((entry) => (entry ? filesOf(entry) : [])));
  return files.flat();
}

/** What cannot be read is named, and the others go on. @param {FileSystemEntry} entry @returns {Promise<File[]>} */
async function filesOf(entry) {
  try {
    if (entry.isFile) return [await new Promise((resolve, reject) => /** @type {FileSystemFileEntry} */ (entry).file(resolve, reject))];
    return (await Promise.all((await inside(/** @type {FileSystemDirectoryEntry} */ (entry))).map(filesOf))).flat();
  } catch {
    tell(`${entry.name} cannot be read: see whether it is still there and may be opened, and bring it again.`);
    return [];
  }
}

/** @param {FileSystemDirectoryEntry} folder */
async function inside(folder) {
  const reader = folder.createReader();
  /** @type {FileSystemEntry[]} */
  const entries = [];
  // A folder is told in parts; an empty one is its end.
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const part = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (part.length === 0) break;
    entries.push(...part);
  }
  return entries.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
}

/** Calls with the pictures that are pasted, but not where text is written. @param {(files: File[]) => void} take */
export function takePastes(take) {
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    take(files);
  });
}

/** Calls with the files that are chosen; the same file may be chosen again. @param {HTMLInputElement} input @param {(files: File[]) => void} take */
export function takeChoices(input, take) {
  input.addEventListener("change", () => {
    const files = [...(input.files ?? [])];
    input.value = "";
    if (files.length > 0) take(files);
  });
}
