// What both passes of group normalisation have: group_norm_moments.wgsl and group_norm_relu.wgsl follow it.

const PIECE = {{ piece }}u;
const THREADS = 256u;

var<workgroup> sums: array<f32, THREADS>;

// The sum over the workgroup's threads. Every thread must come here.
fn total(thread: u32, value: f32) -> f32 {
    sums[thread] = value;
    workgroupBarrier();
    for (var half = THREADS / 2u; half > 0u; half /= 2u) {
        if thread < half {
            sums[thread] += sums[thread + half];
        }
        workgroupBarrier();
    }
    return workgroupUniformLoad(&sums[0]);
}
