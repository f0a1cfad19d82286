// The guided filter's last step: the linear functions, enlarged to the picture's own size, over its colours; and of all
// labels the greatest (He and Sun, "Fast Guided Filter", 2015; Hosni et al., "Fast Cost-Volume Filtering", TPAMI 2013).
//
// A picture is done in bands of neighbouring pixels, row after row. A thread makes four labels: the colours of four
// pixels are three words, and their labels one.

// (class, place): a for red, green and blue in 0..1, then b
@group(0) @binding(0) var<storage, read_write> means: array<vec4<f32>>;
// (pixel of the band, colour): a byte each
@group(0) @binding(1) var<storage, read_write> rgb: array<u32>;
// (pixel of the band): a byte each
@group(0) @binding(2) var<storage, read_write> labels: array<u32>;
// width and height of the sketch, then of the picture; the band's first pixel, and a fourth of its pixels; classes, then
// the number of each
@group(0) @binding(3) var<storage, read_write> info: array<u32>;

const THREADS = 256u;

// The two positions of the sketch that a pixel lies between, and the second one's share; both are areas.
struct Between {
    low: u32,
    high: u32,
    share: f32,
}

fn between(position: u32, sketch: u32, picture: u32) -> Between {
    let scale = f32(sketch) / f32(picture);
    let source = clamp((f32(position) + 0.5) * scale - 0.5, 0.0, f32(sketch - 1u));
    let low = u32(source);
    return Between(low, min(low + 1u, sketch - 1u), source - f32(low));
}

fn label_of(pixel: u32, colour: vec3<u32>) -> u32 {
    let width = info[0];
    let across = between(pixel % info[2], width, info[2]);
    let down = between(pixel / info[2], info[1], info[3]);
    let i = vec4(vec3<f32>(colour) / 255.0, 1.0);
    var left = 1.0;
    var most = 0.0;
    var label = 0u;
    for (var k = 0u; k < info[6]; k++) {
        let plane = k * width * info[1];
        let above = plane + down.low * width;
        let below = plane + down.high * width;
        let west = mix(means[above + across.low], means[below + across.low], down.share);
        let east = mix(means[above + across.high], means[below + across.high], down.share);
        let share = dot(mix(west, east, across.share), i);
        left -= share;
        if k == 0u || share > most {
            most = share;
            label = info[7u + k];
        }
    }
    return select(0u, label, most > left);
}

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let four = group.x * THREADS + thread;
    if four >= info[5] {
        return;
    }
    let first = info[4] + 4u * four;
    let a = rgb[3u * four];
    let b = rgb[3u * four + 1u];
    let c = rgb[3u * four + 2u];
    let red = vec4(a, a >> 24u, b >> 16u, c >> 8u) & vec4(0xffu);
    let green = vec4(a >> 8u, b, b >> 24u, c >> 16u) & vec4(0xffu);
    let blue = vec4(a >> 16u, b >> 8u, c, c >> 24u) & vec4(0xffu);
    var packed = 0u;
    for (var i = 0u; i < 4u; i++) {
        packed |= label_of(first + i, vec3(red[i], green[i], blue[i])) << (8u * i);
    }
    labels[four] = packed;
}
