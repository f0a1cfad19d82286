// The center-pivot 4D convolution (HSNet, section 4.2), both branches and both biases in one pass:
//
//     y[o, q, s] = bias_query[o] + bias_support[o]
//                + sum over c, t of weight_query[o, c, t]   x[c, q + t - half, stride s]
//                + sum over c, t of weight_support[o, c, t] x[c, q, stride s + t - half]
//
// It is one matrix product (tile.wgsl): the weights (output channels x depth) times the neighbourhoods (depth x output
// positions), whose depth runs over branch, channel and tap. The neighbourhoods are gathered from the volume as it lies,
// so that neither pruning nor permuting copies it. Taps of the support plane that meet it nowhere are left out: once it
// has shrunk to one position, all but the centre.
//
// The volume may have only some of the support's rows, for those of the result that depend on no others.
//
// KERNEL, and the FIRST tap and the WINDOW of taps (down, across) of the support plane, are filled in by the host.

// (batch, channel, query h, query w, support h, support w)
@group(0) @binding(0) var<storage, read_write> volume: array<f32>;
// (output channel, channel, kernel, kernel), then the same for the support plane
@group(0) @binding(1) var<storage, read_write> weight_query: array<f32>;
@group(0) @binding(2) var<storage, read_write> bias_query: array<f32>;
@group(0) @binding(3) var<storage, read_write> weight_support: array<f32>;
@group(0) @binding(4) var<storage, read_write> bias_support: array<f32>;
// (batch, output channel, query h, query w, strided support h, strided support w)
@group(0) @binding(5) var<storage, read_write> output: array<f32>;
// channels, output channels, query h, w, support h, w, strided support h, w, stride, the support row of the first result
@group(0) @binding(6) var<storage, read_write> info: array<u32>;

const KERNEL = {{ kernel }}u;
const TAPS = KERNEL * KERNEL;
const FIRST = {{ first }};
const WINDOW = {{ window }};
const SUPPORT_TAPS = WINDOW.x * WINDOW.y;
const HALF = KERNEL / 2u;
// A coordinate that no tap brings back into a plane.
const OUTSIDE = 0x40000000u;

struct Shape {
    // Output channels, output positions, and both branches' channels times taps.
    rows: u32,
    columns: u32,
    depths: u32,
    // The depths of the query's branch, which come first.
    query_depths: u32,
    channels: u32,
    query: vec2<u32>,
    support: vec2<u32>,
    strided: vec2<u32>,
    stride: u32,
    // The support row that the first row of the result is centred at.
    first_row: u32,
}

fn shape_of(group: vec3<u32>) -> Shape {
    let strided = vec2(info[6], info[7]);
    let columns = info[2] * info[3] * strided.x * strided.y;
    return Shape(
        info[1],
        columns,
        info[0] * (TAPS + SUPPORT_TAPS),
        info[0] * TAPS,
        info[0],
        vec2(info[2], info[3]),
        vec2(info[4], info[5]),
        strided,
        info[8],
        info[9],
    );
}

fn left_place(i: u32) -> vec2<u32> {
    return vec2(i / DEPTH, i % DEPTH);
}

fn left_at(size: Shape, sample: u32, row: u32, depth: u32) -> f32 {
    let first = row * size.query_depths;
    if depth < size.query_depths {
        return weight_query[first + depth];
    }
    let rest = depth - size.query_depths;
    let tap = support_tap(rest);
    return weight_support[first + (rest / SUPPORT_TAPS * KERNEL + tap.x) * KERNEL + tap.y];
}

fn support_tap(depth: u32) -> vec2<u32> {
    let tap = depth % SUPPORT_TAPS;
    return FIRST + vec2(tap / WINDOW.y, tap % WINDOW.y);
}

// Four output positions: their places in the volume, and where these lie in its first channel.
struct Four {
    query_down: vec4<u32>,
    query_across: vec4<u32>,
    support_down: vec4<u32>,
    support_across: vec4<u32>,
    start: vec4<u32>,
}

fn four_of(size: Shape, sample: u32, column: u32) -> Four {
    let position = column + vec4(0u, 1u, 2u, 3u);
    let outside = position >= vec4(size.columns);
    let plane = size.strided.x * size.strided.y;
    let query = position / plane;
    let query_down = query / size.query.y;
    let query_across = query % size.query.y;
    let support_down = size.first_row + position % plane / size.strided.y * size.stride;
    let support_across = position % size.strided.y * size.stride;
    let first = sample * size.channels * size.query.x + query_down;
    let start = ((first * size.query.y + query_across) * size.support.x + support_down) * size.support.y + support_across;
    return Four(
        select(query_down, vec4(OUTSIDE), outside),
        query_across,
        select(support_down, vec4(OUTSIDE), outside),
        support_across,
        start,
    );
}

// One tap at four positions. A coordinate below zero wraps to a huge one, so that one comparison finds either edge.
fn right_at(size: Shape, four: Four, depth: u32) -> vec4<f32> {
    let over_query = depth < size.query_depths;
    let rest = depth - size.query_depths;
    let channel = select(rest / SUPPORT_TAPS, depth / TAPS, over_query);
    let tap = select(support_tap(rest), vec2(depth % TAPS / KERNEL, depth % KERNEL), over_query) - HALF;
    let plane = select(size.support, size.query, over_query);
    let inside = (select(four.support_down, four.query_down, over_query) + tap.x < vec4(plane.x))
        & (select(four.support_across, four.query_across, over_query) + tap.y < vec4(plane.y));
    let supports = size.support.x * size.support.y;
    let channels = channel * size.query.x * size.query.y * supports;
    let at = four.start + channels + (tap.x * plane.y + tap.y) * select(1u, supports, over_query);
    return vec4(value(inside.x, at.x), value(inside.y, at.y), value(inside.z, at.z), value(inside.w, at.w));
}

fn value(inside: bool, at: u32) -> f32 {
    if inside {
        return volume[at];
    }
    return 0.0;
}

fn finished(size: Shape, row: u32, column: u32, sums: vec4<f32>) -> vec4<f32> {
    return sums + bias_query[row] + bias_support[row];
}
