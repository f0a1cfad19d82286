// Bilinear resizing of two neighbouring dimensions of a tensor, corners aligned (HSNet, section 4.3), each of the other
// positions on its own. Where a new position lies is worked out in whole numbers, so that corners and whole positions
// are met exactly; src/sampling.rs has the same rule in float32.

// (outer, h, w, inner)
@group(0) @binding(0) var<storage, read_write> input: array<f32>;
// (outer, new h, new w, inner)
@group(0) @binding(1) var<storage, read_write> output: array<f32>;
// h, w, new h, new w, inner, results in all
@group(0) @binding(2) var<storage, read_write> info: array<u32>;

const THREADS = 256u;

// The two positions of `sides` that new ones lie between, and the second's share.
struct Taps {
    low: vec2<u32>,
    high: vec2<u32>,
    share: vec2<f32>,
}

fn taps_of(place: vec2<u32>, sides: vec2<u32>, new_sides: vec2<u32>) -> Taps {
    let steps = max(new_sides, vec2(2u)) - 1u;
    let way = place * (sides - 1u);
    let low = way / steps;
    return Taps(low, min(low + 1u, sides - 1u), vec2<f32>(way % steps) / vec2<f32>(steps));
}

@compute @workgroup_size(THREADS)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let i = (group.y * groups.x + group.x) * THREADS + thread;
    if i >= info[5] {
        return;
    }
    let sides = vec2(info[0], info[1]);
    let new_sides = vec2(info[2], info[3]);
    let inner = info[4];
    let plane = i / inner / new_sides.y;
    let taps = taps_of(vec2(plane % new_sides.x, i / inner % new_sides.y), sides, new_sides);

    let first = plane / new_sides.x * sides.x * sides.y * inner + i % inner;
    let above = first + taps.low.x * sides.y * inner;
    let below = first + taps.high.x * sides.y * inner;
    let left = taps.low.y * inner;
    let right = taps.high.y * inner;
    let top = mix(input[above + left], input[above + right], taps.share.y);
    let bottom = mix(input[below + left], input[below + right], taps.share.y);
    output[i] = mix(top, bottom, taps.share.x);
}
