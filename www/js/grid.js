// The pictures that are looked through: hundreds of tiles to filter, sort, walk through by keys, accept and remove, under
// a bar that says how far the work is. It is told what there is and tells what the user wants; it knows neither the
// engine nor the store.
import { FILTERS, SORTS, arrange, counts, isToDo } from "./arrange.js";
import { make } from "./dom.js";
import { classColours } from "./overlay.js";
import { Pace, roughly } from "./pace.js";
import { Thumbs } from "./thumbs.js";
import { Tile } from "./tile.js";

/** @typedef {import("./arrange.js").Item} Item */
/** @typedef {"idle" | "running" | "paused"} Run */
/** @typedef {{ items: Item[], classes: import("./overlay.js").Coloured[], run: Run }} View */

/**
 * What the user, or the screen, asks for.
 * @typedef {object} Calls
 * @property {(id: string) => void} select  the tile the user is at has changed
 * @property {(id: string) => void} open
 * @property {(id: string, accepted: boolean) => void} accept
 * @property {(id: string) => void} remove
 * @property {(id: string) => void} want  a tile is near the window and has no labels
 * @property {(id: string) => void} leave  a tile is far from the window: its labels are not needed
 * @property {(id: string, thumb: Blob) => void} thumb  a small picture was made: give it back with the item, now and later
 * @property {() => void} pause
 * @property {() => void} resume
 * @property {() => void} cancel
 */

/** What is this near is shown already, so that nobody sees it come. */
const NEARNESS = "700px 0px";
const ROWS_A_PAGE = 3;
/** Many more tiles at once would hold the page up. */
const NEW_A_FRAME = 60;
/** Labels are asked for where something was found. */
const LABELLED = new Set(["found", "stale"]);

/** @param {number} count */
const pictures = (count) => `${count} ${count === 1 ? "picture" : "pictures"}`;

export class Grid {
  #calls;
  /** @type {View} */
  #view = { items: [], classes: [], run: "idle" };
  #wish = { filter: "all", text: "", sort: "added" };
  #colours = classColours([]);
  #pace = new Pace();
  #thumbs = new Thumbs();
  #awaited = false;

  /** @type {Map<string, Tile>} */
  #tiles = new Map();
  /** @type {string[]} the ids of what is shown, in order */
  #order = [];
  /** @type {string | undefined} the tile the user is at, the one that the tabulator key leads to */
  #active;
  /** @type {Map<string, Item["status"]>} whose labels have been asked for, and at what status */
  #wanted = new Map();
  /** @type {Map<string, Blob | undefined>} small pictures that have been made, or could not be */
  #made = new Map();

  #list = make("div", { className: "tiles", role: "grid", "aria-label": "Pictures looked through" });
  #none = make("p", { className: "tiles-none", hidden: true }, "No picture is like that.");
  #observer = new IntersectionObserver((entries) => this.#see(entries), { rootMargin: NEARNESS });
  #batch = this.#makeBatch();
  #tools = this.#makeTools();

  /** @param {HTMLElement} place @param {Calls} calls */
  constructor(place, calls) {
    this.#calls = calls;
    place.classList.add("queries");
    place.append(this.#batch.element, this.#tools.element, this.#list, this.#none);
    this.#list.addEventListener("click", (event) => this.#click(event));
    this.#list.addEventListener("dblclick", (event) => event.preventDefault());
    this.#list.addEventListener("keydown", (event) => this.#key(event));
    this.#list.addEventListener("focusin", ({ target }) => this.#activate(idAt(target)));
  }

  /** Call it after every change, as often as you like: it is drawn once a frame. @param {View} view */
  show(view) {
    this.#view = view;
    this.#pace.note(this.#done(), performance.now(), view.run === "running");
    this.#draw();
  }

  /** Leads to a picture, as the user would. @param {string} id */
  focus(id) {
    this.#activate(id);
    this.#tiles.get(id)?.open.focus();
  }

  #done() {
    return this.#view.items.filter((item) => !isToDo(item)).length;
  }

  #draw() {
    if (this.#awaited) return;
    this.#awaited = true;
    requestAnimationFrame(() => {
      this.#awaited = false;
      this.#showBatch();
      this.#showTools();
      this.#showTiles();
    });
  }

  // The bar above.

  #makeBatch() {
    const bar = make("progress", { max: 1, "aria-label": "Progress of all pictures" });
    const words = make("p", {});
    const pause = make("button", { type: "button" }, "Pause");
    const cancel = make("button", { type: "button" }, "Cancel");
    pause.addEventListener("click", () => (this.#view.run === "paused" ? this.#calls.resume() : this.#calls.pause()));
    cancel.addEventListener("click", () => this.#calls.cancel());
    const row = make("div", { className: "batch-row" }, words, pause, cancel);
    const element = make("div", { className: "batch", role: "group", "aria-label": "Work on all pictures", hidden: true }, row, bar);
    return { element, bar, words, pause };
  }

  #showBatch() {
    const { element, bar, words, pause } = this.#batch;
    const { items, run } = this.#view;
    const done = this.#done();
    element.hidden = run === "idle";
    bar.value = items.length > 0 ? done / items.length : 0;
    const left = this.#pace.left(items.length - done);
    const rest = run === "paused" ? ", paused" : left === undefined ? "" : `, ${roughly(left)} left`;
    words.textContent = `${done} of ${pictures(items.length)} done${rest}`;
    pause.textContent = run === "paused" ? "Resume" : "Pause";
  }

  // What is shown, and in which order.

  #makeTools() {
    const filters = new Map(Object.entries(FILTERS).map(([name, { label }]) => [name, this.#makeFilter(name, label)]));
    const choice = make("div", { className: "choice tile-filters", role: "radiogroup", "aria-label": "Show" }, ...[...filters.values()].map(({ element }) => element));
    const search = make("input", { type: "search", placeholder: "Search by name", "aria-label": "Search by name", className: "tile-search" });
    search.addEventListener("input", () => this.#choose({ text: search.value }));
    const sort = make("select", { "aria-label": "Order" }, ...Object.entries(SORTS).map(([value, { label }]) => make("option", { value }, label)));
    sort.addEventListener("change", () => this.#choose({ sort: sort.value }));
    const element = make("div", { className: "tile-tools", role: "group", "aria-label": "Which pictures are shown", hidden: true }, choice, search, sort);
    return { element, filters };
  }

  /** @param {string} name @param {string} label */
  #makeFilter(name, label) {
    const input = make("input", { type: "radio", name: "tile-filter", value: name, checked: name === this.#wish.filter });
    const count = make("small", {});
    input.addEventListener("change", () => this.#choose({ filter: name }));
    return { element: make("label", {}, input, make("span", {}, `${label} `, count)), count };
  }

  /** @param {Partial<import("./arrange.js").Wish>} wish */
  #choose(wish) {
    Object.assign(this.#wish, wish);
    this.#draw();
  }

  #showTools() {
    const { element, filters } = this.#tools;
    element.hidden = this.#view.items.length === 0;
    for (const [name, count] of Object.entries(counts(this.#view.items))) {
      const text = String(count);
      const shown = filters.get(name)?.count;
      if (shown && shown.textContent !== text) shown.textContent = text;
    }
  }

  // The tiles.

  #showTiles() {
    const { items, classes } = this.#view;
    const colours = classColours(classes);
    if (colours.some((word, at) => word !== this.#colours[at])) this.#colours = colours;
    this.#forgetRemoved(new Set(items.map(({ id }) => id)));
    const shown = this.#manageable(arrange(items, this.#wish));
    this.#place(shown.map(({ id }) => id));
    for (const item of shown) this.#showTile(item);
    this.#list.hidden = shown.length === 0;
    this.#none.hidden = items.length === 0 || shown.length > 0;
  }

  /** All that have tiles and some that need new ones; the others come with the next frames. @param {Item[]} shown */
  #manageable(shown) {
    let room = NEW_A_FRAME;
    const now = shown.filter(({ id }) => this.#tiles.has(id) || room-- > 0);
    if (now.length < shown.length) this.#draw();
    return now;
  }

  /** @param {Set<string>} present */
  #forgetRemoved(present) {
    for (const [id, tile] of this.#tiles) {
      if (present.has(id)) continue;
      this.#observer.unobserve(tile.element);
      this.#far(id, tile);
      this.#tiles.delete(id);
      this.#made.delete(id);
    }
  }

  /** Moves only what is not where it should be, and leaves the focus with whom it was. @param {string[]} order */
  #place(order) {
    const focused = /** @type {HTMLElement | null} */ (this.#list.contains(document.activeElement) ? document.activeElement : null);
    const shown = new Set(order.map((id) => this.#tile(id).element));
    for (const element of [...this.#list.children]) if (!shown.has(/** @type {HTMLElement} */ (element))) element.remove();
    let next = this.#list.firstElementChild;
    for (const element of shown) {
      if (element === next) next = next.nextElementSibling;
      else this.#list.insertBefore(element, next);
    }
    this.#keepActive(order);
    if (!focused || this.#list.contains(document.activeElement)) return;
    if (focused.isConnected) focused.focus({ preventScroll: true });
    else this.#tiles.get(this.#active ?? "")?.open.focus();
  }

  /** Where the user's tile has gone, its neighbour is the user's. @param {string[]} order */
  #keepActive(order) {
    const at = this.#order.indexOf(this.#active ?? "");
    this.#order = order;
    if (this.#active === undefined || !order.includes(this.#active)) this.#activate(order[Math.min(Math.max(at, 0), order.length - 1)], false);
  }

  /** @param {string} id */
  #tile(id) {
    const present = this.#tiles.get(id);
    if (present) return present;
    const tile = new Tile();
    tile.element.dataset["item"] = id;
    this.#tiles.set(id, tile);
    this.#observer.observe(tile.element);
    return tile;
  }

  /** @param {Item} item */
  #showTile(item) {
    const tile = this.#tile(item.id);
    if (item.thumb) this.#made.delete(item.id);
    tile.show(item, item.thumb ?? this.#made.get(item.id), this.#colours);
    if (tile.near) this.#ask(item);
  }

  /** What a tile near the window lacks. @param {Item} item */
  #ask(item) {
    const { id, status, labels, thumb, width } = item;
    if (!thumb && width > 0 && !this.#made.has(id)) this.#thumbs.ask(id, item, (made) => this.#take(id, made));
    if (labels || !LABELLED.has(status)) this.#wanted.delete(id);
    else if (this.#wanted.get(id) !== status) {
      this.#wanted.set(id, status);
      this.#calls.want(id);
    }
  }

  /** @param {string} id @param {Blob | undefined} thumb */
  #take(id, thumb) {
    if (!this.#tiles.has(id)) return;
    this.#made.set(id, thumb);
    if (thumb) this.#calls.thumb(id, thumb);
    this.#draw();
  }

  /** @param {IntersectionObserverEntry[]} entries */
  #see(entries) {
    for (const { target, isIntersecting } of entries) {
      const id = idAt(target);
      const tile = id && this.#tiles.get(id);
      if (!id || !tile) continue;
      if (!isIntersecting) this.#far(id, tile);
      tile.near = isIntersecting;
      if (isIntersecting && tile.item) this.#showTile(tile.item);
    }
  }

  /** @param {string} id @param {Tile} tile */
  #far(id, tile) {
    if (!tile.near) return;
    tile.leave();
    this.#thumbs.drop(id);
    this.#wanted.delete(id);
    this.#calls.leave(id);
  }

  // The user at it.

  /** @param {string | undefined} id @param {boolean} [tell]  whether it was the user's doing */
  #activate(id, tell = true) {
    if (id === this.#active) return;
    this.#mark(this.#active, false);
    this.#active = id;
    this.#mark(id, true);
    if (tell && id) this.#calls.select(id);
  }

  /** @param {string | undefined} id @param {boolean} active */
  #mark(id, active) {
    const tile = this.#tiles.get(id ?? "");
    if (!tile) return;
    tile.element.setAttribute("aria-selected", String(active));
    tile.open.tabIndex = tile.accept.tabIndex = active ? 0 : -1;
  }

  /** @param {MouseEvent} event */
  #click({ target }) {
    const id = idAt(target);
    if (!id) return;
    this.#activate(id);
    if (/** @type {Element} */ (target).closest(".tile-accept")) return this.#accept(id);
    this.#tiles.get(id)?.open.focus({ preventScroll: true });
    this.#calls.open(id);
  }

  /** @param {string} id */
  #accept(id) {
    const tile = this.#tiles.get(id);
    if (tile?.item && !tile.accept.disabled) this.#calls.accept(id, !tile.item.accepted);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const id = idAt(event.target);
    if (!id || event.ctrlKey || event.metaKey || event.altKey) return;
    const goal = this.#goal(event.key, this.#order.indexOf(id));
    const onButton = event.target instanceof HTMLButtonElement;
    if (goal !== undefined) this.focus(goal);
    else if (event.key === "Enter" && !onButton) this.#calls.open(id);
    else if (event.key.toLowerCase() === "a") this.#accept(id);
    else if (event.key === "Delete") this.#calls.remove(id);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Where a key leads from a tile: arrows stay where there is nothing on, the others go as far as there is. @param {string} key @param {number} at */
  #goal(key, at) {
    const columns = getComputedStyle(this.#list).gridTemplateColumns.split(" ").length;
    const last = this.#order.length - 1;
    const page = columns * ROWS_A_PAGE;
    /** @type {Record<string, number>} */
    const goals = {
      ...{ ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - columns, ArrowDown: at + columns },
      ...{ PageUp: Math.max(at - page, 0), PageDown: Math.min(at + page, last), Home: 0, End: last },
    };
    const goal = goals[key];
    return goal === undefined ? undefined : this.#order[goal] ?? this.#order[at];
  }
}

/** The item that something on the page belongs to. @param {EventTarget | null} target */
const idAt = (target) => (target instanceof Element ? /** @type {HTMLElement | null} */ (target.closest(".tile"))?.dataset["item"] : undefined);
