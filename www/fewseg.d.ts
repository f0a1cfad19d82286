// What wasm-bindgen makes of the crate's `web` door. `make test` checks the page against this file; that the crate keeps
// to it shows when the page runs, in the browser tests.

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

/** A class to look for. Numbers run from 1 to 250, colours are "#rrggbb". */
export interface Class { number: number; name: string; colour: string }

/** How what was found becomes labels. */
export interface Look {
  /** probability from which a pixel counts */
  threshold: number;
  /** regions of a class smaller than this share of the picture are dropped, 0..1 */
  smallest: number;
  /** whether holes in a region are filled */
  fill: boolean;
  /** whether edges follow the picture */
  edges: boolean;
}

/** What a query came to. `result` is for the page to keep and bring again. */
export interface Found { width: number; height: number; result: Uint8Array; classes: FoundClass[] }
/** Of a class, at the weights' own threshold: its share of the picture, and the mean probability over what is marked. */
export interface FoundClass { number: number; share: number; confidence: number }

/** Of one shot: how like the asked place each of its places is, for each level of the network, 0..1. */
export interface Match { key: string; levels: { width: number; height: number; values: Float32Array }[] }

/**
 * A part of looking for one shot in a picture, and what it took: on a GPU by its own clock, without what the page does
 * before; nothing where that clock is too coarse.
 */
export interface Stage { name: string; milliseconds?: number }

/** What a picture can be saved as. */
export type Kind = "masks" | "cutouts" | "overlays" | "coco" | "coco-rle" | "labelme" | "yolo";
/** A file, with the folders it belongs in: "masks/duck.png". */
export interface Packed { name: string; bytes: Uint8Array }

/**
 * A picture that teaches, and a byte a pixel: 0 the background, 1 to 250 the number of a class, 255 not sure. Its key
 * changes with its labels; of the shots of the last `learn` the key is enough. `load` and `openTask` forget them all.
 */
export type Shot = { key: string; name: string; picture: Uint8Array; labels: Uint8Array } | { key: string };

/** Every error it throws is an `Error` whose message is a sentence for the user. */
export class Session {
  /** The weights may still be on their way: a GPU compiles its shaders meanwhile. */
  static open(weights: Uint8Array | Promise<Uint8Array>, device: "auto" | "webgpu" | "cpu", size?: number): Promise<Session>;
  info(): Info;
  load(weights: Uint8Array): void;
  inspect(name: string, picture: Uint8Array): { width: number; height: number };
  readLabels(name: string, file: Uint8Array, picture: string, width: number, height: number): { names: string[]; labels: Uint8Array };
  learn(classes: Class[], shots: Shot[], withTask: boolean, progress: Progress): Promise<void>;
  segment(name: string, picture: Uint8Array, progress: Progress): Promise<Found>;
  labels(name: string, picture: Uint8Array, result: Uint8Array, look: Look, width?: number): Promise<{ labels: Uint8Array; width: number; height: number }>;
  times(name: string, picture: Uint8Array): Promise<Stage[]>;
  why(name: string, picture: Uint8Array, x: number, y: number, number: number): Promise<Match[]>;
  saveTask(classes: Class[], look: Look): Promise<Uint8Array>;
  openTask(name: string, task: Uint8Array): { classes: Class[]; shots: number; look: Look };
  pack(name: string, picture: Uint8Array, labels: Uint8Array, width: number, height: number, classes: Class[], kinds: Kind[]): Packed[];
  packed(): Packed[];
}
