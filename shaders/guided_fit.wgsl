// The guided filter's first step: within the window around each place of the sketch, the indicator of a label as a
// linear function of the colours (He, Sun and Tang, "Guided Image Filtering", TPAMI 2013, equations 19 and 20).
//
// Sums are over whole numbers, of colours less the window's central one: so nothing is rounded before the divisions, and
// little cancels after them.

// (place): red, green, blue and label, a byte each, from the lowest
@group(0) @binding(0) var<storage, read_write> sketch: array<u32>;
// (class, place): a for red, green and blue in 0..1, then b
@group(0) @binding(1) var<storage, read_write> linear: array<vec4<f32>>;
// width, height and the windows' radius in places, then the number of each class
@group(0) @binding(2) var<storage, read_write> info: array<u32>;

const THREADS = 256u;
const EPSILON = {{ epsilon }};

fn colour(packed: u32) -> vec3<i32> {
    return vec3<i32>((vec3(packed) >> vec3(0u, 8u, 16u)) & vec3(0xffu));
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let width = info[0];
    let height = info[1];
    let radius = info[2];
    let number = info[3u + group.z];
    let place = group.x * THREADS + thread;
    if place >= width * height {
        return;
    }

    let x = place % width;
    let y = place / width;
    let centre = colour(sketch[place]);
    var sums = vec3(0);
    // red, green and blue with themselves, then red with green, red with blue, green with blue
    var squares = vec3(0);
    var products = vec3(0);
    var marked = vec3(0);
    var area = 0;
    var count = 0;
    for (var v = max(y, radius) - radius; v < min(y + radius + 1u, height); v++) {
        for (var u = max(x, radius) - radius; u < min(x + radius + 1u, width); u++) {
            let packed = sketch[v * width + u];
            let c = colour(packed) - centre;
            let p = select(0, 1, (packed >> 24u) == number);
            sums += c;
            squares += c * c;
            products += c.xxy * c.yzz;
            marked += c * p;
            area += p;
            count++;
        }
    }

    let n = f32(count);
    let mean = vec3<f32>(sums) / n;
    let share = f32(area) / n;
    let variance = (vec3<f32>(squares) / n - mean * mean) / (255.0 * 255.0) + EPSILON;
    let covariance = (vec3<f32>(products) / n - mean.xxy * mean.yzz) / (255.0 * 255.0);
    let along = (vec3<f32>(marked) / n - mean * share) / 255.0;

    // L D L^T: a gray guide's covariances are too near to singular for determinants.
    let l1 = covariance.x / variance.x;
    let l2 = covariance.y / variance.x;
    let d1 = variance.y - l1 * covariance.x;
    let below = covariance.z - l1 * covariance.y;
    let l3 = below / d1;
    let d2 = variance.z - l2 * covariance.y - l3 * below;
    let g = along.y - l1 * along.x;
    var a = vec3(0.0);
    a.z = (along.z - l2 * along.x - l3 * g) / d2;
    a.y = g / d1 - l3 * a.z;
    a.x = along.x / variance.x - l1 * a.y - l2 * a.z;
    let b = share - dot(a, (mean + vec3<f32>(centre)) / 255.0);
    linear[group.z * width * height + place] = vec4(a, b);
}
