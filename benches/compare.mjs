// fewseg beside its peers, one table: the same network, in the same minutes, in turns.  node benches/compare.mjs [rounds]
// What `make bench` sets up must be there. The table is printed, and all that was measured goes to target/bench.json.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { launch } from "../tests/page/browser.mjs";
import { serve } from "../tests/page/server.mjs";

/** @typedef {{ name: string, peer: string, ours: () => Promise<number[]>, theirs: () => Promise<number[]>, runs: number }} Row */
/** @typedef {{ row: string, peer: string, ours: number[], theirs: number[] }} Measured */

const ROOT = new URL("..", import.meta.url).pathname;
const PYTHON = `${ROOT}target/peers/bin/python`;
const PEER = `${ROOT}benches/peers/torch_hsnet.py`;
const FEWSEG = `${ROOT}target/release/fewseg`;
const rounds = Number(process.argv[2] ?? 3);

/** The lines that a program prints. @param {string} program @param {string[]} words */
const lines = (program, ...words) => execFileSync(program, words, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trimEnd().split("\n");

/** The last of them, which is JSON. @param {string} program @param {string[]} words */
const ask = (program, ...words) => JSON.parse(lines(program, ...words).at(-1) ?? "");

/** The shaders' operations, one by one: a table for people, and what is in it. */
function operations() {
  const said = lines(FEWSEG, "bench", "operations", "--backbone", "mobilenetv2", "--size", "256", "--passes", "3", "--device", "wgpu");
  return { table: said.slice(0, -1).join("\n"), rows: JSON.parse(said.at(-1) ?? "[]") };
}

/** A network on a native device. @param {string} backbone @param {number} side @param {"cpu" | "wgpu" | "cuda"} ours @param {"cpu" | "cuda"} theirs @returns {Row} */
function native(backbone, side, ours, theirs) {
  const network = ["--backbone", backbone, "--size", String(side)];
  return {
    name: `${backbone} ${side}, ${ours}`,
    peer: `PyTorch, ${theirs}`,
    ours: async () => ask(FEWSEG, "bench", "segment", ...network, "--device", ours).segment,
    theirs: async () => ask(PYTHON, PEER, "time", ...network, "--device", theirs).segment,
    runs: 10,
  };
}

/** A network in the browser. @param {string} url @param {number} side @param {"cpu" | "webgpu"} device @param {number} runs  of which the first third warm up @returns {Row} */
function inBrowser(url, side, device, runs) {
  const time = async (/** @type {string} */ script) => {
    const browser = await launch({ webgpu: true });
    try {
      const page = await browser.newPage();
      await page.goto(url);
      const found = await page.evaluate(
        ([script, ask]) => new Promise((/** @type {(found: { trouble?: string, milliseconds: number[] }) => void} */ resolve) => {
          const worker = new Worker(script, { type: "module" });
          worker.addEventListener("message", ({ data }) => resolve(data));
          worker.postMessage(ask);
        }),
        /** @type {const} */ ([script, { side, device, runs }]),
      );
      if (found.trouble) throw new Error(`${script} on ${device}: ${found.trouble}`);
      return found.milliseconds.slice(Math.ceil(runs / 3));
    } finally {
      await browser.close();
    }
  };
  return {
    name: `mobilenetv2 ${side}, Chromium, ${device === "cpu" ? "CPU" : "WebGPU"}`,
    peer: `onnxruntime-web, ${device === "cpu" ? "WebAssembly" : "WebGPU"}`,
    ours: () => time("./fewseg.js"),
    theirs: () => time("./onnxruntime.js"),
    runs,
  };
}

/** @param {number[]} values */
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

/** @param {number[]} times */
const spread = (times) => `${median(times).toFixed(1)} (${Math.min(...times).toFixed(1)} to ${Math.max(...times).toFixed(1)})`;

/** @param {Row[]} rows @returns {Promise<Measured[]>} */
async function measure(rows) {
  const measured = rows.map(({ name, peer }) => ({ row: name, peer, ours: /** @type {number[]} */ ([]), theirs: /** @type {number[]} */ ([]) }));
  for (let round = 0; round < rounds; round++) {
    for (const [at, { name, ours, theirs }] of rows.entries()) {
      process.stderr.write(`round ${round + 1} of ${rounds}: ${name}\n`);
      measured[at]?.ours.push(...(await ours()));
      measured[at]?.theirs.push(...(await theirs()));
    }
  }
  return measured;
}

/** @param {Measured[]} measured */
function show(measured) {
  console.log("| what | peer | its ms, median (least to most) | fewseg's | its / fewseg's |\n|---|---|---|---|---|");
  for (const { row, peer, ours, theirs } of measured) {
    console.log(`| ${row} | ${peer} | ${spread(theirs)} | ${spread(ours)} | ${(median(theirs) / median(ours)).toFixed(2)} |`);
  }
}

/** Whether fewseg, as it was built, runs on a device of this machine. @param {string} device */
function runsOn(device) {
  try {
    return lines(FEWSEG, "bench", "segment", "--backbone", "mobilenetv2", "--size", "64", "--passes", "1", "--device", device).length > 0;
  } catch {
    return false;
  }
}

/** Whether PyTorch finds a GPU. */
const hasCuda = () => execFileSync(PYTHON, ["-c", "import torch; print(torch.cuda.is_available())"], { encoding: "utf8" }).trim() === "True";

const SIDE = 128;
execFileSync(PYTHON, [PEER, "onnx", "--backbone", "mobilenetv2", "--size", String(SIDE), `${ROOT}target/bench/model.onnx`], { stdio: "ignore" });
const server = await serve(`${ROOT}benches/page`, `${ROOT}target/bench`);
const gpus = hasCuda() ? /** @type {const} */ (["wgpu", "cuda"]).filter(runsOn) : [];
const rows = [
  inBrowser(server.url, SIDE, "webgpu", 6),
  inBrowser(server.url, SIDE, "cpu", 15),
  native("mobilenetv2", 256, "cpu", "cpu"),
  native("resnet50", 400, "cpu", "cpu"),
  ...["resnet50", "resnet101"].flatMap((backbone) => gpus.map((ours) => native(backbone, 400, ours, "cuda"))),
];
const measured = await measure(rows);
await server.close();
show(measured);
const machine = { processor: cpus()[0]?.model, cores: cpus().length };
const found = { date: new Date().toISOString(), machine, rounds, measured };
/** @param {object} found */
const keep = (found) => writeFileSync(`${ROOT}target/bench.json`, `${JSON.stringify(found, null, 1)}\n`);
keep(found);
const { table, rows: byOperation } = operations();
console.log(`\n${table}`);
keep({ ...found, operations: byOperation });
