// Small helps for making and finding elements.

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Partial<HTMLElementTagNameMap[T]> & { [name: `aria-${string}`]: string, role?: string }} [settings]
 * @param {...(Node | string)} children
 */
export function make(tag, settings = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(settings)) {
    if (name.startsWith("aria-") || name === "role") element.setAttribute(name, String(value));
    else Object.assign(element, { [name]: value });
  }
  element.append(...children);
  return element;
}

/**
 * The element of index.html with this id.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag @param {string} id
 */
export function find(tag, id) {
  const element = document.querySelector(`${tag}#${id}`);
  if (!element) throw new Error(`index.html has no <${tag} id="${id}">`);
  return /** @type {HTMLElementTagNameMap[T]} */ (element);
}

/** One of the drawings in index.html. @param {string} name */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon");
  svg.append(use);
  return svg;
}

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

/** @param {FileSystemEntry} entry @returns {Promise<File[]>} */
async function filesOf(entry) {
  if (entry.isFile) {
    return [await new Promise((resolve, reject) => /** @type {FileSystemFileEntry} */ (entry).file(resolve, reject))];
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  /** @type {FileSystemEntry[]} */
  const inside = [];
  // A folder is told in parts; an empty one is its end.
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const part = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (part.length === 0) break;
    inside.push(...part);
  }
  inside.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
  return (await Promise.all(inside.map(filesOf))).flat();
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

/** Keeps one element per item, in the items' order. @template {{ id: string }} I @param {HTMLElement} list @param {I[]} items @param {(item: I) => HTMLElement} create */
export function keepList(list, items, create) {
  const ids = new Set(items.map(({ id }) => id));
  const present = new Map();
  for (const child of /** @type {HTMLElement[]} */ ([...list.children])) {
    const id = child.dataset["item"];
    if (id === undefined) continue;
    if (ids.has(id)) present.set(id, child);
    else child.remove();
  }
  for (const item of items) {
    if (present.has(item.id)) continue;
    const element = create(item);
    element.dataset["item"] = item.id;
    list.append(element);
  }
}

/** Hands a file to the user. @param {Blob} blob @param {string} name */
export function save(blob, name) {
  const url = URL.createObjectURL(blob);
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
