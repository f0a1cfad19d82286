// Group normalisation (Wu and He, 2018) and the ReLU that follows it, second of two passes: the pieces' moments become
// the group's, and these one factor and one offset for the channel. There are few pieces, so that every thread may add
// them up by itself.

// (batch, channel, position)
@group(0) @binding(0) var<storage, read_write> volume: array<f32>;
// (batch, group, piece), by group_norm_moments.wgsl
@group(0) @binding(1) var<storage, read_write> moments: array<vec2<f32>>;
// (channel)
@group(0) @binding(2) var<storage, read_write> gamma: array<f32>;
@group(0) @binding(3) var<storage, read_write> beta: array<f32>;
// (batch, channel, position)
@group(0) @binding(4) var<storage, read_write> output: array<f32>;
// positions of a channel, channels, channels of a group, values of a piece, pieces of a group
@group(0) @binding(5) var<storage, read_write> info: array<u32>;

const EPSILON = {{ epsilon }};
// Positions that a workgroup works through.
const PORTION = {{ portion }}u;
const THREADS = 64u;

// Mean and variance of a group of `size` values whose pieces, of `piece` values each, begin at `first`.
fn group_moments(first: u32, pieces: u32, piece: u32, size: u32) -> vec2<f32> {
    var sum = 0.0;
    for (var p = 0u; p < pieces; p++) {
        sum += moments[first + p].x * f32(min(piece, size - p * piece));
    }
    let mean = sum / f32(size);

    var squares = 0.0;
    for (var p = 0u; p < pieces; p++) {
        let found = moments[first + p];
        let away = found.x - mean;
        squares += found.y + away * away * f32(min(piece, size - p * piece));
    }
    return vec2(mean, squares / f32(size));
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let positions = info[0];
    let members = info[2];
    let pieces = info[4];
    let channel = group.y;
    let plane = group.z * info[1] + channel;
    let found = group_moments(plane / members * pieces, pieces, info[3], positions * members);
    let scale = gamma[channel] * inverseSqrt(found.y + EPSILON);
    let shift = beta[channel] - found.x * scale;

    let start = plane * positions;
    let end = min((group.x + 1u) * PORTION, positions);
    for (var i = group.x * PORTION + thread; i < end; i += THREADS) {
        output[start + i] = max(0.0, volume[start + i] * scale + shift);
    }
}
