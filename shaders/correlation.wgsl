// The hypercorrelation of one pyramid level, every layer of it in one launch: for each layer, each query position i and
// each support position j
//
//     correlation[i, j] = max(0, <q_i, s_j> / ((|q_i| + eps) (|s_j| + eps)))
//
// A workgroup makes one TILE x TILE piece of one layer's matrix. Both tiles of features pass through workgroup memory
// once, and the norms are summed from there while the dot products are: the features are read no second time.

// (batch, channel, query position); the channels of a level's layers lie one after another
@group(0) @binding(0) var<storage, read_write> query: array<f32>;
// (batch, channel, support position)
@group(0) @binding(1) var<storage, read_write> support: array<f32>;
// (batch, layer, query position, support position)
@group(0) @binding(2) var<storage, read_write> correlation: array<f32>;
// query positions, support positions, layers, then the first channel of each layer and one past the last
@group(0) @binding(3) var<storage, read_write> info: array<u32>;

const TILE = 64u;
const DEPTH = 16u;
// A thread makes four queries times four supports, kept in vectors: an array indexed in a loop would live in memory.
const THREADS = 256u;
const LANES = TILE / 4u;
const EPSILON = 1e-5;

struct Shape {
    queries: u32,
    supports: u32,
    layers: u32,
    channels: u32,
    first: u32,
    end: u32,
}

var<workgroup> shape: Shape;
// The query's tile of features, then the support's: (side, channel, position). And both sides' norms: (side, position).
var<workgroup> tiles: array<f32, 2u * DEPTH * TILE>;
var<workgroup> norms: array<f32, 2u * TILE>;

fn sum_of_squares(side: u32, position: u32) -> f32 {
    var sum = 0.0;
    for (var c = 0u; c < DEPTH; c++) {
        let value = tiles[(side * DEPTH + c) * TILE + position];
        sum += value * value;
    }
    return sum;
}

fn four_of_tile(start: u32) -> vec4<f32> {
    return vec4(tiles[start], tiles[start + 1u], tiles[start + 2u], tiles[start + 3u]);
}

// One query's correlation with four supports.
fn store(size: Shape, plane: u32, q: u32, first: u32, values: vec4<f32>) {
    if q >= size.queries {
        return;
    }
    let start = (plane * size.queries + q) * size.supports + first;
    for (var i = 0u; i < min(4u, size.supports - min(first, size.supports)); i++) {
        correlation[start + i] = max(0.0, values[i]);
    }
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let layers = info[2];
    let layer = group.z % layers;
    let batch = group.z / layers;
    if thread == 0u {
        shape = Shape(info[0], info[1], layers, info[3u + layers], info[3u + layer], info[4u + layer]);
    }
    let size = workgroupUniformLoad(&shape);

    // The position whose features this thread fetches, and its first query and support within the tile.
    let fetched = thread % TILE;
    let query_position = group.y * TILE + fetched;
    let support_position = group.x * TILE + fetched;
    let row = 4u * (thread / LANES);
    let column = 4u * (thread % LANES);

    var dot0 = vec4(0.0);
    var dot1 = vec4(0.0);
    var dot2 = vec4(0.0);
    var dot3 = vec4(0.0);
    var norm = 0.0;
    for (var start = size.first; start < size.end; start += DEPTH) {
        for (var c = thread / TILE; c < DEPTH; c += THREADS / TILE) {
            let channel = start + c;
            var q = 0.0;
            var s = 0.0;
            if channel < size.end {
                let plane = batch * size.channels + channel;
                if query_position < size.queries {
                    q = query[plane * size.queries + query_position];
                }
                if support_position < size.supports {
                    s = support[plane * size.supports + support_position];
                }
            }
            tiles[c * TILE + fetched] = q;
            tiles[(DEPTH + c) * TILE + fetched] = s;
        }
        workgroupBarrier();

        if thread < 2u * TILE {
            norm += sum_of_squares(thread / TILE, fetched);
        }
        for (var c = 0u; c < DEPTH; c++) {
            let q = four_of_tile(c * TILE + row);
            let s = four_of_tile((DEPTH + c) * TILE + column);
            dot0 += q.x * s;
            dot1 += q.y * s;
            dot2 += q.z * s;
            dot3 += q.w * s;
        }
        workgroupBarrier();
    }

    if thread < 2u * TILE {
        norms[thread] = sqrt(norm) + EPSILON;
    }
    workgroupBarrier();

    let plane = batch * size.layers + layer;
    let q = group.y * TILE + row;
    let s = group.x * TILE + column;
    let n = TILE + column;
    let support_norms = vec4(norms[n], norms[n + 1u], norms[n + 2u], norms[n + 3u]);
    store(size, plane, q, s, dot0 / (norms[row] * support_norms));
    store(size, plane, q + 1u, s, dot1 / (norms[row + 1u] * support_norms));
    store(size, plane, q + 2u, s, dot2 / (norms[row + 2u] * support_norms));
    store(size, plane, q + 3u, s, dot3 / (norms[row + 3u] * support_norms));
}
