// A 2D convolution, padded by half its kernel, its bias and its activation, as one matrix product (tile.wgsl): the weights
// (output channels x depth) times the neighbourhoods (depth x output positions), whose depth runs over channel and tap.
//
// KERNEL (odd), and how the weights are kept, are filled in by the host.

// (batch, channel, h, w)
@group(0) @binding(0) var<storage, read_write> planes: array<f32>;
// (output channel, channel, kernel, kernel)
@group(0) @binding(1) var<storage, read_write> weight: array<{{ weight_element }}>;
@group(0) @binding(2) var<storage, read_write> bias: array<f32>;
// (batch, output channel, strided h, strided w)
@group(0) @binding(3) var<storage, read_write> output: array<f32>;
// channels, output channels, h, w, strided h, w, stride, and the bits of the least and the greatest result
@group(0) @binding(4) var<storage, read_write> info: array<u32>;

const KERNEL = {{ kernel }}u;
const TAPS = KERNEL * KERNEL;
const HALF = KERNEL / 2u;
// A coordinate that no tap brings back into the plane.
const OUTSIDE = 0x40000000u;

struct Shape {
    // Output channels, output positions, and channels times taps.
    rows: u32,
    columns: u32,
    depths: u32,
    channels: u32,
    plane: vec2<u32>,
    strided_width: u32,
    stride: u32,
    limits: vec2<f32>,
}

fn shape_of(group: vec3<u32>) -> Shape {
    return Shape(
        info[1],
        info[4] * info[5],
        info[0] * TAPS,
        info[0],
        vec2(info[2], info[3]),
        info[5],
        info[6],
        bitcast<vec2<f32>>(vec2(info[7], info[8])),
    );
}

fn left_place(i: u32) -> vec2<u32> {
    return vec2(i / DEPTH, i % DEPTH);
}

fn left_at(size: Shape, sample: u32, row: u32, depth: u32) -> f32 {
    return weight_at(row * size.depths + depth);
}

fn weight_at(at: u32) -> f32 {
    return {{ weight_value }};
}

// Four output positions: their places in the plane, and where these lie in the first channel.
struct Four {
    down: vec4<u32>,
    across: vec4<u32>,
    start: vec4<u32>,
}

fn four_of(size: Shape, sample: u32, column: u32) -> Four {
    let position = column + vec4(0u, 1u, 2u, 3u);
    let down = position / size.strided_width * size.stride;
    let across = position % size.strided_width * size.stride;
    let start = (sample * size.channels * size.plane.x + down) * size.plane.y + across;
    return Four(select(down, vec4(OUTSIDE), position >= vec4(size.columns)), across, start);
}

// One tap at four positions. A coordinate below zero wraps to a huge one, so that one comparison finds either edge.
fn right_at(size: Shape, four: Four, depth: u32) -> vec4<f32> {
    let down = depth % TAPS / KERNEL - HALF;
    let across = depth % KERNEL - HALF;
    let inside = (four.down + down < vec4(size.plane.x)) & (four.across + across < vec4(size.plane.y));
    let at = four.start + (depth / TAPS * size.plane.x + down) * size.plane.y + across;
    return vec4(value(inside.x, at.x), value(inside.y, at.y), value(inside.z, at.z), value(inside.w, at.w));
}

fn value(inside: bool, at: u32) -> f32 {
    if inside {
        return planes[at];
    }
    return 0.0;
}

fn finished(size: Shape, row: u32, column: u32, sums: vec4<f32>) -> vec4<f32> {
    return clamp(sums + bias[row], vec4(size.limits.x), vec4(size.limits.y));
}
