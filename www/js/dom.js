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

/** Keeps one element per item; those of new items come after the others. @template {{ id: string }} I @param {HTMLElement} list @param {I[]} items @param {(item: I) => HTMLElement} create */
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
