// Group normalisation, first of two passes: the moments of each group, piece by piece. The values of a group lie one
// after another, and a workgroup reads one PIECE of them: it may be thousands, and one workgroup alone would be slow.

// (batch, group, value)
@group(0) @binding(0) var<storage, read_write> volume: array<f32>;
// (batch, group, piece): the mean, and the sum of the squared deviations from it
@group(0) @binding(1) var<storage, read_write> moments: array<vec2<f32>>;
// values of a group, pieces of a group
@group(0) @binding(2) var<storage, read_write> info: array<u32>;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let size = info[0];
    let start = group.y * size;
    let first = group.x * PIECE;
    let end = min(first + PIECE, size);

    var sum = 0.0;
    for (var i = first + thread; i < end; i += THREADS) {
        sum += volume[start + i];
    }
    let mean = total(thread, sum) / f32(end - first);

    // From the piece's own mean: squares alone would lose what a mean far from zero hides.
    var squares = 0.0;
    for (var i = first + thread; i < end; i += THREADS) {
        let deviation = volume[start + i] - mean;
        squares += deviation * deviation;
    }
    squares = total(thread, squares);
    if thread == 0u {
        moments[group.y * info[1] + group.x] = vec2(mean, squares);
    }
}
