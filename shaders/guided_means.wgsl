// The guided filter's second step: the mean of the linear functions of all windows that a place of the sketch is in (He,
// Sun and Tang, "Guided Image Filtering", TPAMI 2013, equation 21).

// (class, place): a for red, green and blue in 0..1, then b
@group(0) @binding(0) var<storage, read_write> linear: array<vec4<f32>>;
// (class, place): their means
@group(0) @binding(1) var<storage, read_write> means: array<vec4<f32>>;
// width, height and the windows' radius in places
@group(0) @binding(2) var<storage, read_write> info: array<u32>;

const THREADS = 256u;

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let width = info[0];
    let height = info[1];
    let radius = info[2];
    let place = group.x * THREADS + thread;
    if place >= width * height {
        return;
    }

    let x = place % width;
    let y = place / width;
    let plane = group.z * width * height;
    var sum = vec4(0.0);
    var count = 0;
    for (var v = max(y, radius) - radius; v < min(y + radius + 1u, height); v++) {
        for (var u = max(x, radius) - radius; u < min(x + radius + 1u, width); u++) {
            sum += linear[plane + v * width + u];
            count++;
        }
    }
    means[plane + place] = sum / f32(count);
}
