// Group normalisation (Wu and He, 2018) and the ReLU that follows it, second of two passes: the pieces' moments become
// the group's, and these one factor and one offset for each channel.

// (batch, channel, position)
@group(0) @binding(0) var<storage, read_write> volume: array<f32>;
// (batch, group, piece), by group_norm_moments.wgsl
@group(0) @binding(1) var<storage, read_write> moments: array<vec2<f32>>;
// (channel)
@group(0) @binding(2) var<storage, read_write> gamma: array<f32>;
@group(0) @binding(3) var<storage, read_write> beta: array<f32>;
// (batch, channel, position)
@group(0) @binding(4) var<storage, read_write> output: array<f32>;
// positions of a channel, channels, channels of a group, pieces of a group
@group(0) @binding(5) var<storage, read_write> info: array<u32>;

const EPSILON = {{ epsilon }};

// Mean and variance of a group.
fn group_moments(thread: u32, first: u32, pieces: u32, size: u32) -> vec2<f32> {
    var sum = 0.0;
    for (var p = thread; p < pieces; p += THREADS) {
        sum += moments[first + p].x * f32(min(PIECE, size - p * PIECE));
    }
    let mean = total(thread, sum) / f32(size);

    var squares = 0.0;
    for (var p = thread; p < pieces; p += THREADS) {
        let piece = moments[first + p];
        let away = piece.x - mean;
        squares += piece.y + away * away * f32(min(PIECE, size - p * PIECE));
    }
    return vec2(mean, total(thread, squares) / f32(size));
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let positions = info[0];
    let members = info[2];
    let pieces = info[3];
    let channel = group.y % info[1];
    let found = group_moments(thread, group.y / members * pieces, pieces, positions * members);
    let scale = gamma[channel] * inverseSqrt(found.y + EPSILON);
    let shift = beta[channel] - found.x * scale;

    let start = group.y * positions;
    let end = min((group.x + 1u) * PIECE, positions);
    for (var i = group.x * PIECE + thread; i < end; i += THREADS) {
        output[start + i] = max(0.0, volume[start + i] * scale + shift);
    }
}
