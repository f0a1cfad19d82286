// Keeps everything in the browser's own storage as the user works, so that a reload, a crash or a closed tab loses
// nothing. Records are plain objects with an `id`. Their Blobs lie apart from them, so that a record changes often and
// its picture is written once. Where nothing can be kept, the page works all the same, and has been told why.
import { reason } from "./words.js";

/** @typedef {import("../fewseg").FoundClass} FoundClass */
/** @typedef {Uint8Array} Deflated  made by deflate.js */

/** There is one, with the id "meta": classes, settings, whatever else the page wants to find again. @typedef {{ id: "meta", [name: string]: unknown }} Meta */
/** @typedef {{ id: string, name: string, file: Blob, width: number, height: number, hidden?: boolean | undefined, order: number, labels?: Deflated }} Support */
/**
 * @typedef {object} Query
 * @property {string} id
 * @property {string} name
 * @property {Blob} file
 * @property {number} width
 * @property {number} height
 * @property {number} order
 * @property {number} lesson
 * @property {Uint8Array} [result]
 * @property {FoundClass[]} [classes]
 * @property {string} [trouble]
 * @property {boolean} [skipped]
 * @property {boolean} [accepted]
 * @property {boolean} [corrected]
 * @property {Deflated} [settled]  the labels of what was accepted or corrected
 * @property {Blob} [thumb]
 */
/** @typedef {{ id: string, name: string, file: Blob, size: number, added: number, order: number }} Weights */
/** @typedef {{ meta: Meta, supports: Support, queries: Query, weights: Weights }} Kinds */
/** @typedef {keyof Kinds} Kind */
/** A value that takes work may be a function; it is called when the record is written. @template R @typedef {{ [F in keyof R]: R[F] | (() => Promise<R[F]>) }} Record */

/** @typedef {{ kind: Kind, id: string, record?: Record<{ id: string }> }} Task  without a record: to be removed */

/** @type {Kind[]} */
const KINDS = ["meta", "supports", "queries", "weights"];
const FILES = "files";
const BLOBS = ["file", "thumb"];

/** What changes many times in a moment is written once, in milliseconds. */
const REST = 80;
/** So many bytes of new files are written at a time: a crash loses no more. */
const BATCH_BYTES = 16e6;
/** And so many records: each is copied on the page's own thread. */
const BATCH_RECORDS = 32;
/** With so many new bytes a record is large; what is small neither waits for it nor fails with it. */
const LARGE = 1e6;
/** Of the room that the browser grants, this stays free of what is large: labels and results are to be kept to the last. */
const RESERVE = 10e6;
/** A tab that is being reloaded gives its lock back within this time, in milliseconds. */
const LOCK_PATIENCE = 1500;

/** Two copies of the page in different folders of a host are two programs. */
export const NAME = `fewseg ${new URL("..", import.meta.url).pathname}`;

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const answer = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** @param {IDBTransaction} transaction @returns {Promise<void>} */
const finished = (transaction) =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });

/** A browser that has to give up in the middle of a file may count it for a while, and then refuses everything. @param {number} bytes */
async function insistOnRoom(bytes) {
  const { usage = 0, quota = Infinity } = (await navigator.storage?.estimate()) ?? {};
  if (usage + bytes + RESERVE > quota) throw new DOMException(`${bytes} bytes more are too many`, "QuotaExceededError");
}

/** @param {number} time */
const pause = (time) => new Promise((resolve) => setTimeout(resolve, time));

/** All files of a record. @param {Kind} kind @param {string} id */
const filesOf = (kind, id) => IDBKeyRange.bound([kind, id], [kind, id, []]);

/** @param {Task} task */
const keyOf = ({ kind, id }) => `${kind},${id}`;

/** Two tabs would overwrite each other's work, so one of them keeps, until it is closed or says that it does not any more. @returns {Promise<() => void>} */
async function lock() {
  if (!navigator.locks) throw new Error("This page was opened from an address that is not secure (https), so the browser keeps nothing: save your results before you close it.");
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(LOCK_PATIENCE);
    const held = navigator.locks.request(NAME, { signal }, () => new Promise((release) => resolve(() => release(undefined))));
    held.catch(() => reject(new Error("fewseg is open in another tab, and that one keeps your work. What you do here is not kept: close one of the two, and reload the other.")));
  });
}

async function openDatabase() {
  try {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      for (const kind of KINDS) request.result.createObjectStore(kind, { keyPath: "id" });
      request.result.createObjectStore(FILES);
    };
    return await answer(request);
  } catch {
    throw new Error("This browser window keeps nothing, as private windows do: save your results before you close it.");
  }
}

/** @param {(sentence: string) => void} tell  hears what cannot be kept, and why */
export async function openStore(tell) {
  try {
    const release = await lock();
    return new Store(await openDatabase(), tell, release);
  } catch (why) {
    tell(reason(why));
    return new Store(undefined, tell, () => undefined);
  }
}

export class Store {
  #database;
  #tell;
  #release;
  /** @type {Map<string, Task>} what is to be written, by record, the latest only */
  #queue = new Map();
  /** @type {Map<string, Blob>} the files that are on the disk */
  #written = new Map();
  /** @type {Promise<void> | undefined} */
  #writing;
  #forgetting = false;
  #full = false;

  /** @param {IDBDatabase | undefined} database @param {(sentence: string) => void} tell @param {() => void} release  lets another tab keep */
  constructor(database, tell, release) {
    this.#database = database;
    this.#tell = tell;
    this.#release = release;
    if (!database) return;
    // The browser closes it when the user clears the site's data.
    database.onclose = () => {
      this.#database = undefined;
      this.#tell("The browser has cleared this page's storage. What you do from now on is not kept: save your results, and reload.");
    };
  }

  /** Whether anything is kept at all. */
  get keeps() {
    return this.#database !== undefined;
  }

  /** Whether something has not been written yet. */
  get busy() {
    return this.#writing !== undefined;
  }

  /** Resolves when all that has been put is written, or told to be impossible. */
  settled() {
    return this.#writing ?? Promise.resolve();
  }

  /**
   * Everything that was kept, in order. Of the Blobs only the handles: their bytes stay on the disk.
   * @returns {Promise<{ meta?: Meta, supports: Support[], queries: Query[], weights: Weights[] }>}
   */
  async load() {
    if (!this.#database) return { supports: [], queries: [], weights: [] };
    const transaction = this.#database.transaction([...KINDS, FILES]);
    const files = transaction.objectStore(FILES);
    const [keys, blobs, meta, ...lists] = await Promise.all([
      answer(files.getAllKeys()),
      answer(files.getAll()),
      ...KINDS.map((kind) => answer(transaction.objectStore(kind).getAll())),
    ]);
    const records = new Map(KINDS.slice(1).map((kind, at) => [kind, new Map(lists[at]?.map((record) => [record.id, record]))]));
    keys.forEach((key, at) => {
      const [kind, id, field] = /** @type {[Kind, string, string]} */ (key);
      const record = records.get(kind)?.get(id);
      if (record) record[field] = blobs[at];
      this.#written.set(String(key), blobs[at]);
    });
    const list = (/** @type {Kind} */ kind) => [...(records.get(kind)?.values() ?? [])].sort((a, b) => a.order - b.order);
    return { meta: meta?.find(({ id }) => id === "meta"), supports: list("supports"), queries: list("queries"), weights: list("weights") };
  }

  /**
   * Keeps a record in place of the one of its id. A Blob is written again only when it is another object.
   * @template {Kind} K @param {K} kind @param {Record<Kinds[K]> & { id: string }} record
   */
  put(kind, record) {
    this.#add({ kind, id: record.id, record });
  }

  /** @param {Kind} kind @param {string} id */
  remove(kind, id) {
    this.#add({ kind, id });
  }

  /** Removes everything, also the models. What is put afterwards is kept. */
  forgetAll() {
    this.#queue.clear();
    this.#forgetting = true;
    this.#wake();
    return this.settled();
  }

  /** Keeps nothing any more, so that another tab may. */
  close() {
    this.#database?.close();
    this.#database = undefined;
    this.#release();
  }

  /** How many bytes the page takes of how many it may take, and whether the browser may clear them when it runs short. */
  async usage() {
    const { usage = 0, quota = 0 } = (await navigator.storage?.estimate()) ?? {};
    return { used: usage, room: quota, persistent: (await navigator.storage?.persisted()) ?? false };
  }

  /** @param {Task} task */
  #add(task) {
    if (!this.#database) return;
    this.#queue.set(keyOf(task), task);
    this.#wake();
  }

  #wake() {
    if (this.#writing || !this.#database) return;
    this.#writing = this.#write();
  }

  async #write() {
    while (this.#database && (this.#forgetting || this.#queue.size > 0)) {
      await pause(REST);
      if (this.#forgetting) await this.#clear();
      else await this.#writeBatch(this.#take());
    }
    // At once: what is put from here on wakes it again.
    this.#writing = undefined;
  }

  /** What is written next. @returns {Task[]} */
  #take() {
    const batch = [];
    let sum = 0;
    for (const task of this.#queue.values()) {
      const bytes = this.#newBytes(task);
      if (bytes >= LARGE) continue;
      sum += bytes;
      if (sum > BATCH_BYTES || batch.length === BATCH_RECORDS) break;
      batch.push(task);
    }
    if (batch.length === 0) batch.push(...[...this.#queue.values()].slice(0, 1));
    for (const task of batch) this.#queue.delete(keyOf(task));
    return batch;
  }

  /** @param {Task} task */
  #newBytes(task) {
    return this.#newFiles(task).reduce((sum, [, blob]) => sum + blob.size, 0);
  }

  /** @param {Task} task @returns {[string[], Blob][]} the files that are not on the disk yet, with their keys */
  #newFiles({ kind, id, record = { id } }) {
    return filesIn(record)
      .filter(([field, blob]) => this.#written.get(`${kind},${id},${field}`) !== blob)
      .map(([field, blob]) => [[kind, id, field], blob]);
  }

  /** All or nothing; where it is nothing, one after the other, so that one bad record costs no other. @param {Task[]} batch */
  async #writeBatch(batch) {
    try {
      await this.#commit(batch);
    } catch (error) {
      if (batch.length > 1) for (const task of batch) await this.#writeBatch([task]);
      else if (batch[0]) this.#fail(batch[0], error);
    }
  }

  /** @param {Task[]} batch */
  async #commit(batch) {
    // A transaction does not wait for anything but itself, so all work is done before it begins.
    const tasks = await Promise.all(batch.map(complete));
    const bytes = tasks.reduce((sum, task) => sum + this.#newBytes(task), 0);
    if (bytes >= LARGE) await insistOnRoom(bytes);
    if (!this.#database) return;
    const transaction = this.#database.transaction([...KINDS, FILES], "readwrite");
    const files = transaction.objectStore(FILES);
    const done = finished(transaction);
    const fresh = tasks.flatMap((task) => this.#newFiles(task));
    try {
      for (const { kind, id, record } of tasks) {
        if (record) transaction.objectStore(kind).put(withoutFiles(record));
        else {
          transaction.objectStore(kind).delete(id);
          files.delete(filesOf(kind, id));
        }
      }
      for (const [key, blob] of fresh) files.put(blob, key);
    } catch (error) {
      transaction.abort();
      await done.catch(() => undefined);
      throw error;
    }
    await done;
    for (const { kind, id, record } of tasks) if (!record) this.#forget(kind, id);
    for (const [key, blob] of fresh) this.#written.set(String(key), blob);
    if (fresh.length > 0) await this.#askToPersist().catch(() => undefined);
  }

  /** @param {Kind} kind @param {string} id */
  #forget(kind, id) {
    for (const field of BLOBS) this.#written.delete(`${kind},${id},${field}`);
    this.#full = false;
  }

  async #clear() {
    this.#forgetting = false;
    if (!this.#database) return;
    try {
      const transaction = this.#database.transaction([...KINDS, FILES], "readwrite");
      for (const store of [...KINDS, FILES]) transaction.objectStore(store).clear();
      await finished(transaction);
      this.#written.clear();
      this.#full = false;
    } catch (error) {
      this.#tell(`What was kept could not be forgotten: ${error}. Clear this site's data in the browser's settings.`);
    }
  }

  /** @param {Task} task @param {unknown} error */
  #fail({ record }, error) {
    if (!this.#database) return;
    if (!(error instanceof DOMException && error.name === "QuotaExceededError")) {
      const what = /** @type {{ name?: unknown } | undefined} */ (record)?.name ?? "A change";
      return this.#tell(`${what} could not be kept: ${reason(error)}`);
    }
    // Once is enough: everything that follows fails alike.
    if (this.#full) return;
    this.#full = true;
    this.#tell("The browser has no room left for this page. Not everything is kept from now on: save your results, and remove pictures or models to make room.");
  }

  /** Some browsers ask the user, so it is done once, and when there is something to lose. */
  async #askToPersist() {
    if (!navigator.storage?.persist || !this.#database) return;
    const meta = this.#database.transaction("meta", "readwrite").objectStore("meta");
    if (await answer(meta.get("asked to persist"))) return;
    await answer(meta.put({ id: "asked to persist" }));
    // The user may take any time to answer, and nothing waits for it.
    void navigator.storage.persist();
  }
}

/** Calls what was left to be worked out. @param {Task} task @returns {Promise<Task>} */
async function complete({ kind, id, record }) {
  if (!record) return { kind, id };
  const values = Object.entries(record).map(async ([field, value]) => [field, typeof value === "function" ? await value() : value]);
  return { kind, id, record: Object.fromEntries(await Promise.all(values)) };
}

/** @param {object} record @returns {[string, Blob][]} */
const filesIn = (record) => Object.entries(record).filter(([field, value]) => BLOBS.includes(field) && value instanceof Blob);

/** @param {object} record */
function withoutFiles(record) {
  const files = new Map(filesIn(record));
  return Object.fromEntries(Object.entries(record).filter(([field]) => !files.has(field)));
}
