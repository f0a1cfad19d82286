// What the page and its worker say to each other. The page asks, the worker answers each question once, in the order
// asked, and may report progress before it does. Pictures, weights and tasks travel as Blobs, which are handed over, not
// copied. The worker remembers the network and what it has learned, and nothing of any query: what was found goes back
// to the page as bytes, which the page keeps and brings again.
import type { Class, Found, Info, Kind, Look, Match, Packed, Stage as Timed } from "./fewseg";

export type Device = "auto" | "webgpu" | "cpu";
export type Size = { width: number; height: number };

/** A byte a pixel of the picture: 0 the background, 1 to 250 the number of a class, 255 not sure. */
export type Labels = Uint8Array;

/**
 * A picture that teaches. Its key changes with its labels: what is known under a key is not looked at again, so that of
 * the shots of the last `learn` the key is enough. `load` and `openTask` forget them all.
 */
export type Shot = { key: string; name: string; picture: Blob; labels: Labels } | { key: string };

/** The questions: what each brings (`ask`) and what comes back (`answer`). */
export interface Calls {
  /** Loads the program and the weights (those served with the page unless others are given) and takes a device. First. */
  open: { ask: { device: Device; size?: number; weights?: Blob }; answer: Info };
  /** Other weights on the same device; when they are refused the present ones stay. */
  load: { ask: { weights: Blob }; answer: Info };
  /** Whether a file is a picture, and how large. */
  inspect: { ask: { name: string; picture: Blob }; answer: Size };
  /**
   * What an annotation file says of a picture: a mask PNG (one class without a name; of an indexed or gray PNG of label
   * numbers, not black and white, each number is one), LabelMe JSON, or COCO JSON that knows a picture of this name. The
   * labels number the names from 1 in their order.
   */
  readLabels: { ask: { name: string; file: Blob; picture: string } & Size; answer: { names: string[]; labels: Labels } };
  /** Learn the classes from the shots, each from every shot that has pixels of its number, and what an opened task knows. */
  learn: { ask: { classes: Class[]; shots: Shot[]; withTask: boolean }; answer: null };
  /** Look for all classes in a picture. */
  segment: { ask: { name: string; picture: Blob }; answer: Found };
  /** The labels that something found comes to: at the picture's own resolution, or at `width` if that is less. */
  labels: { ask: { name: string; picture: Blob; result: Uint8Array; look: Look; width?: number }; answer: { labels: Labels } & Size };
  /** What each stage of looking for one shot in a picture takes. */
  times: { ask: { name: string; picture: Blob }; answer: Timed[] };
  /** Where in the shots of a class a place of a picture (0 to 1, across and down) finds its like. */
  why: { ask: { name: string; picture: Blob; x: number; y: number; number: number }; answer: Match[] };
  /** What has been learned as one small file, without the pictures, under the names that the classes have now. */
  saveTask: { ask: { classes: Class[]; look: Look }; answer: Uint8Array };
  /** What such a file knows, in place of what has been learned. */
  openTask: { ask: { name: string; task: Blob }; answer: { classes: Class[]; shots: number; look: Look } };
  /** Files to save of one picture; the COCO description of all pictures packed since the last `packed` comes with that. */
  pack: { ask: { name: string; picture: Blob; labels: Labels; classes: Class[]; kinds: Kind[] } & Size; answer: Packed[] };
  packed: { ask: Record<string, never>; answer: Packed[] };
}

export type Name = keyof Calls;

/** "program" and "weights" count bytes (total 0 where the server does not say), the others count steps. */
export type Stage = "program" | "weights" | "device" | "features" | "decode" | "shot";
export type Progress = { stage: Stage; done: number; total: number };

export type Question = { [N in Name]: { id: number; name: N; ask: Calls[N]["ask"] } }[Name];

export type Reply =
  | { id: number; kind: "progress"; progress: Progress }
  | { id: number; kind: "answer"; answer: Calls[Name]["answer"] }
  /** `fatal`: the worker cannot go on and a new one is needed. `device`: because the GPU was lost. */
  | { id: number; kind: "trouble"; message: string; fatal: boolean; device?: boolean };
