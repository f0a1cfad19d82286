// What the page and its worker say to each other. The page asks, the worker answers each question once, in the order
// asked, and may report progress before it does. Pictures and weights travel as Blobs, which are handed over, not copied.
import type { Info } from "./fewseg";

export type Device = "auto" | "webgpu" | "cpu";
export type Size = { width: number; height: number };
export type Shot = { name: string; picture: Blob; mask: Uint8Array };

/** The questions: what each brings (`ask`) and what comes back (`answer`). */
export interface Calls {
  /** Loads the program and the weights (those served with the page unless others are given) and takes a device. First. */
  open: { ask: { device: Device; size?: number; weights?: Blob }; answer: Info };
  /** Other weights on the same device; when they are refused the present ones stay. */
  load: { ask: { weights: Blob }; answer: Info };
  /** Whether a file is a picture, and how large. */
  inspect: { ask: { name: string; picture: Blob }; answer: Size };
  /** A mask from a PNG: 0 or 255 a pixel. */
  readMask: { ask: { name: string; mask: Blob } & Size; answer: Uint8Array };
  /** Look at the thing, in one picture or several. */
  learn: { ask: { shots: Shot[] }; answer: null };
  /** Look for it in a picture, and remember what was found under the key. */
  segment: { ask: { key: string; name: string; picture: Blob }; answer: Size };
  /** What was found: 0 or 255 a pixel of the picture. */
  mask: { ask: { key: string; threshold: number }; answer: Uint8Array };
  /** The same as a PNG file. */
  maskPng: { ask: { key: string; threshold: number }; answer: Uint8Array };
  forget: { ask: { key: string }; answer: null };
}

export type Name = keyof Calls;

/** "program" and "weights" count bytes (total 0 where the server does not say), the others count steps. */
export type Stage = "program" | "weights" | "device" | "features" | "decode" | "shot";
export type Progress = { stage: Stage; done: number; total: number };

export type Question = { [N in Name]: { id: number; name: N; ask: Calls[N]["ask"] } }[Name];

export type Reply =
  | { id: number; kind: "progress"; progress: Progress }
  | { id: number; kind: "answer"; answer: Calls[Name]["answer"] }
  /** `fatal`: the worker cannot go on and a new one is needed. */
  | { id: number; kind: "trouble"; message: string; fatal: boolean };
