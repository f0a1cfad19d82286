// One tile of a matrix product, which correlation.wgsl, center_pivot.wgsl and convolution.wgsl have in common:
//
//     result[row, column] = sum over depth of left[row, depth] right[depth, column]
//
// Neither matrix need exist: a workgroup fetches DEPTH of the depths at a time, from wherever the kernel says, into
// workgroup memory, and each of its threads makes eight rows of eight columns from there. What follows this text brings
//
//     Shape, with rows, columns and depths, and shape_of(workgroup)
//     left_place(i)                      the order in which left is fetched: (row, depth) of the tile's i-th value
//     left_at(.., row, depth)            one value
//     Four, and four_of(.., column)      where the four columns are that a thread fetches, from `column` on
//     right_at(.., four, depth)          their values, zero where there is no such column
//     finished(.., row, column, sums)    four results of a row, from their sums
//     output                             where they go: (sample, row, column)
//
// and is not asked for rows and depths that are outside.
//
// ROWS, COLUMNS and DEPTH are filled in by the host, and what the kernel does with `thread` and `start` at each step,
// while both matrices are in workgroup memory. A thread must always fetch the same four columns.

const ROWS = {{ rows }}u;
const COLUMNS = {{ columns }}u;
const DEPTH = {{ depth }}u;
const THREADS = ROWS * COLUMNS / 64u;
// Fours of columns in a tile. A thread makes the LANES-th after its own, too: then neighbours read neighbouring ones.
const FOURS = COLUMNS / 4u;
const LANES = FOURS / 2u;
const_assert THREADS % FOURS == 0u;
// One more than the rows, so that values of one row lie in different banks of the memory.
const STRIDE = ROWS + 1u;

var<workgroup> shape: Shape;
// (depth, row) and (depth, four columns)
var<workgroup> left: array<f32, DEPTH * STRIDE>;
var<workgroup> right: array<vec4<f32>, DEPTH * FOURS>;

// Four rows of four columns, a row a column of the matrix: an array indexed in a loop would live in memory.
fn outer(rows: vec4<f32>, columns: vec4<f32>) -> mat4x4<f32> {
    return mat4x4(rows.x * columns, rows.y * columns, rows.z * columns, rows.w * columns);
}

fn store(size: Shape, sample: u32, row: u32, column: u32, sums: vec4<f32>) {
    if row >= size.rows {
        return;
    }
    let results = finished(size, row, column, sums);
    let start = (sample * size.rows + row) * size.columns;
    for (var i = 0u; i < 4u && column + i < size.columns; i++) {
        output[start + column + i] = results[i];
    }
}

fn store_rows(size: Shape, sample: u32, row: u32, column: u32, sums: mat4x4<f32>) {
    store(size, sample, row, column, sums[0]);
    store(size, sample, row + 1u, column, sums[1]);
    store(size, sample, row + 2u, column, sums[2]);
    store(size, sample, row + 3u, column, sums[3]);
}

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    if thread == 0u {
        shape = shape_of(group);
    }
    let size = workgroupUniformLoad(&shape);
    let row_tiles = (size.rows + ROWS - 1u) / ROWS;
    let sample = group.z / row_tiles;
    let first_row = group.z % row_tiles * ROWS;
    let first_column = (group.y * groups.x + group.x) * COLUMNS;
    let four = four_of(size, sample, first_column + thread % FOURS * 4u);

    let row = thread / LANES * 8u;
    let lane = thread % LANES;
    var near0 = mat4x4<f32>();
    var near4 = mat4x4<f32>();
    var far0 = mat4x4<f32>();
    var far4 = mat4x4<f32>();
    for (var start = 0u; start < size.depths; start += DEPTH) {
        for (var i = thread; i < DEPTH * ROWS; i += THREADS) {
            let place = left_place(i);
            let row = first_row + place.x;
            let depth = start + place.y;
            var value = 0.0;
            if row < size.rows && depth < size.depths {
                value = left_at(size, sample, row, depth);
            }
            left[place.y * STRIDE + place.x] = value;
        }
        for (var i = thread; i < DEPTH * FOURS; i += THREADS) {
            let depth = start + i / FOURS;
            var values = vec4(0.0);
            if depth < size.depths {
                values = right_at(size, four, depth);
            }
            right[i] = values;
        }
        workgroupBarrier();
        {{ meanwhile }}
        for (var d = 0u; d < DEPTH; d++) {
            let l = d * STRIDE + row;
            let r = d * FOURS + lane;
            let rows0 = vec4(left[l], left[l + 1u], left[l + 2u], left[l + 3u]);
            let rows4 = vec4(left[l + 4u], left[l + 5u], left[l + 6u], left[l + 7u]);
            let near = right[r];
            let far = right[r + LANES];
            near0 += outer(rows0, near);
            near4 += outer(rows4, near);
            far0 += outer(rows0, far);
            far4 += outer(rows4, far);
        }
        workgroupBarrier();
    }
    let near_column = first_column + lane * 4u;
    let far_column = near_column + LANES * 4u;
    store_rows(size, sample, first_row + row, near_column, near0);
    store_rows(size, sample, first_row + row + 4u, near_column, near4);
    store_rows(size, sample, first_row + row, far_column, far0);
    store_rows(size, sample, first_row + row + 4u, far_column, far4);
}
