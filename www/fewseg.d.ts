// What wasm-bindgen makes of the crate's `web` door, as far as the page uses it. `make test` checks the page against
// this file; that the crate keeps to it shows only when the page runs, in the browser tests.

/** Fetches (or takes) and starts the program. */
export default function init(input?: { module_or_path: Response | Promise<Response> }): Promise<unknown>;

export type Progress = (stage: string, done: number, total: number) => void;

export interface Info {
  method: string;
  backbone: string;
  /** side in pixels that the network works at */
  size: number;
  /** the probability from which the weights' makers call a pixel the thing */
  threshold: number;
  device: "webgpu" | "cpu";
  adapter: string;
  /** why the CPU was taken, where it was not asked for */
  note?: string;
}

/** Every error it throws is an `Error` whose message is a sentence for the user. */
export class Session {
  static open(weights: Uint8Array, device: "auto" | "webgpu" | "cpu", size?: number): Promise<Session>;
  info(): Info;
  load(weights: Uint8Array): void;
  inspect(name: string, picture: Uint8Array): { width: number; height: number };
  readMask(name: string, mask: Uint8Array, width: number, height: number): Uint8Array;
  learn(supports: { name: string; picture: Uint8Array; mask: Uint8Array }[], progress: Progress): Promise<void>;
  segment(key: string, name: string, picture: Uint8Array, progress: Progress): Promise<{ width: number; height: number }>;
  mask(key: string, threshold: number): Uint8Array;
  maskPng(key: string, threshold: number): Uint8Array;
  forget(key: string): void;
}
