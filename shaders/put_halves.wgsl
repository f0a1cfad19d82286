// Values in half precision, two to a word: features of one layer, put among those of the others of their level.

// (batch, value)
@group(0) @binding(0) var<storage, read_write> values: array<f32>;
// (batch, word)
@group(0) @binding(1) var<storage, read_write> output: array<u32>;
// words that the values of a sample become, words of a sample of the output, and the first of them that is written
@group(0) @binding(2) var<storage, read_write> info: array<u32>;

const THREADS = {{ threads }}u;
// The largest number that half precision has.
const MOST = 65504.0;

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let word = (group.y * groups.x + group.x) * THREADS + thread;
    if word >= info[0] {
        return;
    }
    let at = 2u * (group.z * info[0] + word);
    let pair = clamp(vec2(values[at], values[at + 1u]), vec2(-MOST), vec2(MOST));
    output[group.z * info[1] + info[2] + word] = pack2x16float(pair);
}
