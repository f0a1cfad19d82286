// A 2D convolution of every channel by itself, padded by half its kernel, its bias and its activation. There is next to
// nothing to share between results, so each thread makes one.
//
// KERNEL (odd) is filled in by the host.

// (batch, channel, h, w)
@group(0) @binding(0) var<storage, read_write> planes: array<f32>;
// (channel, 1, kernel, kernel)
@group(0) @binding(1) var<storage, read_write> weight: array<f32>;
@group(0) @binding(2) var<storage, read_write> bias: array<f32>;
// (batch, channel, strided h, strided w)
@group(0) @binding(3) var<storage, read_write> output: array<f32>;
// channels, h, w, strided h, w, stride, and the bits of the least and the greatest result
@group(0) @binding(4) var<storage, read_write> info: array<u32>;

const KERNEL = {{ kernel }}u;
const THREADS = 256u;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let position = group.x * THREADS + thread;
    let positions = info[3] * info[4];
    if position >= positions {
        return;
    }
    let channel = group.y;
    let plane = group.z * info[0] + channel;
    let first = vec2(position / info[4], position % info[4]) * info[5] - KERNEL / 2u;
    var sum = bias[channel];
    for (var down = 0u; down < KERNEL; down++) {
        for (var across = 0u; across < KERNEL; across++) {
            let place = first + vec2(down, across);
            // A coordinate below zero wraps to a huge one.
            if place.x < info[1] && place.y < info[2] {
                let tap = weight[(channel * KERNEL + down) * KERNEL + across];
                sum += tap * planes[(plane * info[1] + place.x) * info[2] + place.y];
            }
        }
    }
    output[plane * positions + position] = clamp(sum, bitcast<f32>(info[6]), bitcast<f32>(info[7]));
}
