// The hypercorrelation of one pyramid level, every layer of it in one launch: for each layer, each query position i and
// each support position j
//
//     correlation[i, j] = max(0, <q_i, s_j> / ((|q_i| + eps) (|s_j| + eps)))
//
// Each layer is a matrix product (tile.wgsl), query positions by support positions over channels. The norms are summed
// while a tile's features are in workgroup memory: they are read no second time. It is made for all support positions or
// for some that follow one another.
//
// How the features are kept is filled in by the host.

// (batch, channel, query position); the channels of a level's layers lie one after another
@group(0) @binding(0) var<storage, read_write> query: array<{{ query_element }}>;
// (batch or 1, channel, support position)
@group(0) @binding(1) var<storage, read_write> support: array<{{ support_element }}>;
// (batch, layer, query position, support position)
@group(0) @binding(2) var<storage, read_write> output: array<f32>;
// query positions, support positions that are made, all of them, those before the ones that are made, supports, layers,
// then the first channel of each layer and one past the last
@group(0) @binding(3) var<storage, read_write> info: array<u32>;

const EPSILON = {{ epsilon }};

// Squares of the tile's query positions, then of its support positions.
var<workgroup> squares: array<f32, ROWS + COLUMNS>;

struct Shape {
    // Query positions, support positions that are made, and channels of the layer.
    rows: u32,
    columns: u32,
    depths: u32,
    // Channels of all layers, and the layer's first.
    channels: u32,
    first: u32,
    layers: u32,
    supports: u32,
    // Support positions in memory, and those before the ones that are made.
    positions: u32,
    skipped: u32,
}

fn shape_of(group: vec3<u32>) -> Shape {
    let layers = info[5];
    let starts = 6u;
    let sample = group.z / ((info[0] + ROWS - 1u) / ROWS);
    let first = info[starts + sample % layers];
    let channels = info[starts + 1u + sample % layers] - first;
    return Shape(info[0], info[1], channels, info[starts + layers], first, layers, info[4], info[2], info[3]);
}

fn left_place(i: u32) -> vec2<u32> {
    return vec2(i % ROWS, i / ROWS);
}

fn left_at(size: Shape, sample: u32, row: u32, depth: u32) -> f32 {
    return query_at((sample / size.layers * size.channels + size.first + depth) * size.rows + row);
}

fn query_at(at: u32) -> f32 {
    return {{ query_value }};
}

// Four support positions: which of them there are, and where the layer's first channel has them.
struct Four {
    inside: vec4<bool>,
    start: u32,
}

fn four_of(size: Shape, sample: u32, column: u32) -> Four {
    let inside = column + vec4(0u, 1u, 2u, 3u) < vec4(size.columns);
    let batch = sample / size.layers % size.supports;
    return Four(inside, (batch * size.channels + size.first) * size.positions + size.skipped + column);
}

fn right_at(size: Shape, four: Four, depth: u32) -> vec4<f32> {
    let at = four.start + depth * size.positions;
    let inside = four.inside;
    return vec4(value(inside.x, at), value(inside.y, at + 1u), value(inside.z, at + 2u), value(inside.w, at + 3u));
}

fn value(inside: bool, at: u32) -> f32 {
    if inside {
        return {{ support_value }};
    }
    return 0.0;
}

// Adds the squares of what the tile holds just now, from depth `start` on.
fn sum_squares(thread: u32, start: u32) {
    for (var i = thread; i < ROWS + COLUMNS; i += THREADS) {
        var sum = select(squares[i], 0.0, start == 0u);
        for (var d = 0u; d < DEPTH; d++) {
            var value = 0.0;
            if i < ROWS {
                value = left[d * STRIDE + i];
            } else {
                value = right[d * FOURS + (i - ROWS) / 4u][i % 4u];
            }
            sum += value * value;
        }
        squares[i] = sum;
    }
}

fn norm(i: u32) -> f32 {
    return sqrt(squares[i]) + EPSILON;
}

fn finished(size: Shape, row: u32, column: u32, sums: vec4<f32>) -> vec4<f32> {
    let first = ROWS + column % COLUMNS;
    let norms = vec4(norm(first), norm(first + 1u), norm(first + 2u), norm(first + 3u));
    return max(vec4(0.0), sums / (norm(row % ROWS) * norms));
}
