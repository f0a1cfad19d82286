// What the benchmark's server puts beside the page: fewseg's package, and as much of onnxruntime-web as is used here.

declare module "*/fewseg/fewseg.js" {
  const init: typeof import("../../www/fewseg.js").default;
  export default init;
  export const Session: typeof import("../../www/fewseg.js").Session;
}

declare module "*/onnxruntime/ort.webgpu.min.mjs" {
  export const env: { wasm: { wasmPaths: string; numThreads: number }; versions: { web: string } };
  export class Tensor {
    constructor(type: "float32", values: Float32Array, shape: readonly number[]);
    getData(): Promise<Float32Array>;
  }
  export const InferenceSession: {
    create(
      url: string,
      options: { executionProviders: ("wasm" | "webgpu")[] },
    ): Promise<{
      inputMetadata: readonly { name: string; shape: number[] }[];
      run(feeds: Record<string, Tensor>): Promise<Record<string, Tensor>>;
    }>;
  };
}
