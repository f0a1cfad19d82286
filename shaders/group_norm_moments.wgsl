// Group normalisation, first of two passes: the moments of each group, piece by piece. The values of a group lie one
// after another, and a workgroup reads one piece of them: it may be millions, and one workgroup alone would be slow.

// (batch, group, value)
@group(0) @binding(0) var<storage, read_write> volume: array<f32>;
// (batch, group, piece): the mean, and the sum of the squared deviations from it
@group(0) @binding(1) var<storage, read_write> moments: array<vec2<f32>>;
// values of a group, groups, values of a piece, pieces of a group
@group(0) @binding(2) var<storage, read_write> info: array<u32>;

const SIDE = 8u;
const THREADS = SIDE * SIDE;

var<workgroup> sums: array<f32, THREADS>;
var<workgroup> sums_of_sums: array<f32, SIDE>;

// The sum over the workgroup's threads, in two steps: barriers cost more than additions. Every thread must come here.
fn total(thread: u32, value: f32) -> f32 {
    sums[thread] = value;
    workgroupBarrier();
    if thread < SIDE {
        var sum = 0.0;
        for (var i = 0u; i < SIDE; i++) {
            sum += sums[thread * SIDE + i];
        }
        sums_of_sums[thread] = sum;
    }
    workgroupBarrier();
    var sum = 0.0;
    for (var i = 0u; i < SIDE; i++) {
        sum += sums_of_sums[i];
    }
    return sum;
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let size = info[0];
    let place = group.z * info[1] + group.y;
    let start = place * size;
    let first = group.x * info[2];
    let end = min(first + info[2], size);

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
        moments[place * info[3] + group.x] = vec2(mean, squares);
    }
}
