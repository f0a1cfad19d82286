// The little of WebGPU that the worker touches itself; TypeScript's own library does not describe it yet.
declare class GPUAdapter {
  requestDevice(...settings: unknown[]): Promise<{ lost: Promise<{ message: string }> }>;
}
