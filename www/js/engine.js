// The page's end of the wire to the worker: asks and waits. Knows no picture and no button.
import { startThread } from "./thread.js";

/** @typedef {import("../protocol").Name} Name */
/** @typedef {import("../protocol").Progress} Progress */
/** @typedef {import("../protocol").Reply} Reply */
/** @template {Name} N @typedef {import("../protocol").Calls[N]["ask"]} Ask */
/** @template {Name} N @typedef {import("../protocol").Calls[N]["answer"]} Answer */
/** @typedef {{ resolve: (answer: never) => void, reject: (error: Error) => void, progress?: (progress: Progress) => void }} Waiting */

export class Engine {
  #worker = startThread("./worker.js", "fewseg");
  /** @type {Map<number, Waiting>} */
  #waiting = new Map();
  #last = 0;
  #stopped = "";

  /** @param {(message: string, device: boolean) => void} stopped  called once when it cannot go on; whether because the GPU was lost */
  constructor(stopped) {
    this.#worker.addEventListener("message", ({ data }) => this.#hear(data, stopped));
    // Once the worker's script runs, it tells of its errors itself; what comes here is that it could not be loaded.
    this.#worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.#stop("The program did not load. Check the connection and start again.", () => stopped(this.#stopped, false));
    });
  }

  /**
   * @template {Name} N
   * @param {N} name
   * @param {Ask<N>} ask
   * @param {(progress: Progress) => void} [progress]
   * @param {Transferable[]} [transfer]  what is given away, not copied
   * @returns {Promise<Answer<N>>}
   */
  ask(name, ask, progress, transfer = []) {
    if (this.#stopped) return Promise.reject(new Error(this.#stopped));
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject, progress });
      this.#worker.postMessage({ id, name, ask }, transfer);
    });
  }

  /** Whoever closes it starts another. */
  close() {
    this.#stop("The device was changed in the middle of this. Bring the file again.", () => undefined);
  }

  /** @param {Reply} reply @param {(message: string, device: boolean) => void} stopped */
  #hear(reply, stopped) {
    const waiting = this.#waiting.get(reply.id);
    if (reply.kind === "progress") return waiting?.progress?.(reply.progress);
    this.#waiting.delete(reply.id);
    if (reply.kind === "answer") return waiting?.resolve(/** @type {never} */ (reply.answer));
    waiting?.reject(new Error(reply.message));
    if (reply.fatal) this.#stop(reply.message, () => stopped(reply.message, reply.device ?? false));
  }

  /** @param {string} message @param {() => void} stopped */
  #stop(message, stopped) {
    if (this.#stopped) return;
    this.#stopped = message;
    this.#worker.terminate();
    for (const { reject } of this.#waiting.values()) reject(new Error(message));
    this.#waiting.clear();
    stopped();
  }
}
