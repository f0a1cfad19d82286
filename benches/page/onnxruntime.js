// Times an ONNX file with onnxruntime-web, in a worker of its own too. Its inputs are noise of the model's own shapes.
import * as ort from "./onnxruntime/ort.webgpu.min.mjs";

/** @param {{ device: "webgpu" | "cpu", runs: number }} ask */
async function time({ device, runs }) {
  ort.env.wasm.wasmPaths = new URL("./onnxruntime/", import.meta.url).href;
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create("./model.onnx", { executionProviders: [device === "cpu" ? "wasm" : "webgpu"] });
  /** @type {Record<string, ort.Tensor>} */
  const feeds = {};
  for (const { name, shape } of session.inputMetadata) {
    const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => Math.random() - 0.5);
    feeds[name] = new ort.Tensor("float32", values, shape);
  }
  const milliseconds = [];
  for (let run = 0; run < runs; run++) {
    const start = performance.now();
    const outputs = await session.run(feeds);
    await outputs["logits"]?.getData();
    milliseconds.push(performance.now() - start);
  }
  return { adapter: `onnxruntime-web ${ort.env.versions.web}`, milliseconds };
}

self.addEventListener("message", ({ data }) => {
  time(data).then((found) => self.postMessage(found), (error) => self.postMessage({ trouble: String(error) }));
});
