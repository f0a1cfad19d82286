// The center-pivot 4D convolution (HSNet, section 4.2), both branches and both biases in one pass:
//
//     y[o, q, s] = bias_query[o] + bias_support[o]
//                + sum over c, t of weight_query[o, c, t]   x[c, q + t - half, stride s]
//                + sum over c, t of weight_support[o, c, t] x[c, q, stride s + t - half]
//
// It is one matrix product: the weights (output channels x depth) times the neighbourhoods (depth x output positions),
// whose depth runs over branch, channel and tap. The neighbourhoods are never stored: a workgroup gathers DEPTH rows of
// its COLUMNS positions into workgroup memory, so that neither pruning nor permuting copies the volume.
//
// KERNEL (3 or 5) and the tile that a workgroup makes, ROWS output channels of COLUMNS positions (16 x 256 or 64 x 64),
// are filled in by the host.

// (batch, channel, query h, query w, support h, support w)
@group(0) @binding(0) var<storage, read_write> volume: array<f32>;
// (output channel, channel, kernel, kernel), then the same for the support plane
@group(0) @binding(1) var<storage, read_write> weight_query: array<f32>;
@group(0) @binding(2) var<storage, read_write> bias_query: array<f32>;
@group(0) @binding(3) var<storage, read_write> weight_support: array<f32>;
@group(0) @binding(4) var<storage, read_write> bias_support: array<f32>;
// (batch, output channel, query h, query w, strided support h, strided support w)
@group(0) @binding(5) var<storage, read_write> output: array<f32>;
// channels, output channels, query h, w, support h, w, strided support h, w, stride
@group(0) @binding(6) var<storage, read_write> info: array<u32>;

const KERNEL = {{ kernel }}u;
const ROWS = {{ rows }}u;
const COLUMNS = {{ columns }}u;
const TAPS = KERNEL * KERNEL;
const HALF = KERNEL / 2u;
const DEPTH = 8u;
// A thread makes four rows of four columns, kept in vectors: an array indexed in a loop would live in memory.
const THREADS = 256u;
const LANES = COLUMNS / 4u;

struct Shape {
    channels: u32,
    outputs: u32,
    query: vec2<u32>,
    support: vec2<u32>,
    strided: vec2<u32>,
    stride: u32,
}

var<workgroup> shared_shape: Shape;
// (depth, row) and (depth, column)
var<workgroup> weights: array<f32, DEPTH * ROWS>;
var<workgroup> neighbours: array<f32, DEPTH * COLUMNS>;

fn weight_at(size: Shape, row: u32, depth: u32) -> f32 {
    let branch = size.channels * TAPS;
    if row >= size.outputs || depth >= 2u * branch {
        return 0.0;
    }
    if depth < branch {
        return weight_query[row * branch + depth];
    }
    return weight_support[row * branch + depth - branch];
}

// One tap of a neighbourhood; beyond the edge of the plane it is zero (a coordinate below zero wraps to a huge one).
fn neighbour_at(size: Shape, batch: u32, query: vec2<u32>, support: vec2<u32>, depth: u32) -> f32 {
    let branch = size.channels * TAPS;
    if depth >= 2u * branch {
        return 0.0;
    }
    let rest = select(depth - branch, depth, depth < branch);
    let channel = rest / TAPS;
    let tap = vec2((rest % TAPS) / KERNEL, rest % KERNEL);
    var q = query;
    var s = support;
    if depth < branch {
        q = q + tap - HALF;
    } else {
        s = s + tap - HALF;
    }
    if any(q >= size.query) || any(s >= size.support) {
        return 0.0;
    }
    let plane = (batch * size.channels + channel) * size.query.x + q.x;
    return volume[((plane * size.query.y + q.y) * size.support.x + s.x) * size.support.y + s.y];
}

fn store(size: Shape, batch: u32, channel: u32, first: u32, positions: u32, sums: vec4<f32>) {
    if channel >= size.outputs {
        return;
    }
    let values = sums + bias_query[channel] + bias_support[channel];
    let start = (batch * size.outputs + channel) * positions + first;
    for (var i = 0u; i < min(4u, positions - min(first, positions)); i++) {
        output[start + i] = values[i];
    }
}

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    if thread == 0u {
        shared_shape = Shape(
            info[0],
            info[1],
            vec2(info[2], info[3]),
            vec2(info[4], info[5]),
            vec2(info[6], info[7]),
            info[8],
        );
    }
    let size = workgroupUniformLoad(&shared_shape);
    let plane = size.strided.x * size.strided.y;
    let positions = size.query.x * size.query.y * plane;
    let row_tiles = (size.outputs + ROWS - 1u) / ROWS;
    let first_row = (group.z % row_tiles) * ROWS;
    let batch = group.z / row_tiles;
    let first_column = (group.y * groups.x + group.x) * COLUMNS;

    // The position whose neighbourhood this thread gathers. Past the end it points outside the query plane: all zero.
    let gathered = thread % COLUMNS;
    let position = first_column + gathered;
    let query = vec2((position / plane) / size.query.y, (position / plane) % size.query.y);
    let support = vec2((position % plane) / size.strided.y, position % size.strided.y) * size.stride;

    let row = 4u * (thread / LANES);
    let column = 4u * (thread % LANES);
    let depths = 2u * size.channels * TAPS;
    var sum0 = vec4(0.0);
    var sum1 = vec4(0.0);
    var sum2 = vec4(0.0);
    var sum3 = vec4(0.0);
    for (var start = 0u; start < depths; start += DEPTH) {
        for (var i = thread; i < DEPTH * ROWS; i += THREADS) {
            let r = i / DEPTH;
            let d = i % DEPTH;
            weights[d * ROWS + r] = weight_at(size, first_row + r, start + d);
        }
        for (var d = thread / COLUMNS; d < DEPTH; d += THREADS / COLUMNS) {
            neighbours[d * COLUMNS + gathered] = neighbour_at(size, batch, query, support, start + d);
        }
        workgroupBarrier();

        for (var d = 0u; d < DEPTH; d++) {
            let w = d * ROWS + row;
            let n = d * COLUMNS + column;
            let values = vec4(neighbours[n], neighbours[n + 1u], neighbours[n + 2u], neighbours[n + 3u]);
            sum0 += weights[w] * values;
            sum1 += weights[w + 1u] * values;
            sum2 += weights[w + 2u] * values;
            sum3 += weights[w + 3u] * values;
        }
        workgroupBarrier();
    }

    store(size, batch, first_row + row, first_column + column, positions, sum0);
    store(size, batch, first_row + row + 1u, first_column + column, positions, sum1);
    store(size, batch, first_row + row + 2u, first_column + column, positions, sum2);
    store(size, batch, first_row + row + 3u, first_column + column, positions, sum3);
}
