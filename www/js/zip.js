// Saves many files as one zip while they are being made: straight to the disk where the browser can, else through a
// Blob, which the browser may put on the disk. Nothing is packed tighter than it comes: pictures are compressed already.
import { makeZip } from "../vendor/client-zip.js";
import { save } from "./dom.js";

/** @typedef {{ name: string, bytes: Uint8Array }} File */
/** @typedef {(progress: { files: number, bytes: number }) => void} Report */

/** Pieces of a Blob that is gathered: larger ones would all lie in memory at once, smaller ones be many. */
const PIECE = 16e6;

/**
 * Asks where to (call it from a click), then draws one file after the other from `files`.
 * @param {string} name @param {AsyncIterable<File>} files
 * @param {{ report?: Report, signal?: AbortSignal }} [settings]
 * @returns {Promise<boolean>} whether there is a zip: false when the user has changed their mind
 */
export async function saveZip(name, files, { report, signal } = {}) {
  const drawn = counted(files, report, signal);
  try {
    const writable = await openFile(name);
    const zip = makeZip(drawn);
    if (writable) await zip.pipeTo(writable, { signal });
    else save(await gather(zip, signal), name);
    return true;
  } catch (trouble) {
    if (signal?.aborted || isDismissed(trouble)) return false;
    throw trouble;
  } finally {
    // So that what makes the files hears that no more are wanted.
    await drawn.return();
  }
}

/** The user has closed the browser's question. @param {unknown} trouble */
const isDismissed = (trouble) => trouble instanceof DOMException && trouble.name === "AbortError";

/** @param {string} suggestedName @returns {Promise<WritableStream<Uint8Array> | undefined>} */
async function openFile(suggestedName) {
  const ask = /** @type {{ showSaveFilePicker?: (settings: object) => Promise<FileSystemFileHandle> }} */ (window).showSaveFilePicker;
  const types = [{ description: "Zip archive", accept: { "application/zip": [".zip"] } }];
  const handle = await ask?.call(window, { suggestedName, types });
  return handle?.createWritable();
}

/** @param {AsyncIterable<File>} files @param {Report | undefined} report @param {AbortSignal | undefined} signal */
async function* counted(files, report, signal) {
  const taken = new Set();
  const done = { files: 0, bytes: 0 };
  for await (const { name, bytes } of files) {
    signal?.throwIfAborted();
    yield { name: unique(name, taken), input: /** @type {Uint8Array<ArrayBuffer>} */ (bytes) };
    done.files++;
    done.bytes += bytes.length;
    report?.({ ...done });
  }
}

/** Pictures from two folders may have one name, and a zip tells files by their names. @param {string} name @param {Set<string>} taken */
export function unique(name, taken) {
  const [, base = name, ending = ""] = /^(.*?)(\.[^./]*)?$/s.exec(name) ?? [];
  let free = name;
  for (let copy = 2; taken.has(free.toLowerCase()); copy++) free = `${base} (${copy})${ending}`;
  taken.add(free.toLowerCase());
  return free;
}

/** @param {ReadableStream<Uint8Array>} zip @param {AbortSignal | undefined} signal */
async function gather(zip, signal) {
  /** @type {Blob[]} */
  const pieces = [];
  /** @type {Uint8Array<ArrayBuffer>[]} */
  let parts = [];
  let bytes = 0;
  const close = () => {
    pieces.push(new Blob(parts));
    [parts, bytes] = [[], 0];
  };
  const collect = new WritableStream({
    write(/** @type {Uint8Array<ArrayBuffer>} */ part) {
      parts.push(part);
      bytes += part.length;
      if (bytes >= PIECE) close();
    },
    close,
  });
  await zip.pipeTo(collect, { signal });
  return new Blob(pieces, { type: "application/zip" });
}
