//! The operations as compute shaders: `shaders/` run inside burn.

mod center_pivot;
mod convolution;
mod correlation;
mod guided;
mod halves;
mod norm;
mod resize;
mod tile;

use std::ops::Range;

use burn::tensor::{DType, Shape};
use burn_cubecl::cubecl::CubeCount;
use burn_cubecl::cubecl::server::{Handle, KernelArguments, MetadataBindingInfo};
use burn_wgpu::{CubeDim, CubeTensor, KernelSource, SourceKernel};

pub(super) use burn_cubecl::cubecl::client::Client;
pub(super) use guided::guided_labels;

use center_pivot::CenterPivot;
use convolution::{Convolution, Form};
use correlation::Correlation;
use guided::Guided;
use halves::PutHalves;
use norm::Norm;
use resize::Resize;
use tile::Tile;

use super::Keep;

const THREADS: u32 = 256;
/// What every adapter allows in one dimension of a dispatch.
const MAX_WORKGROUPS: usize = 65_535;

/// Whether the device compiles WGSL; with other compilers (CUDA, or SPIR-V straight) our shaders cannot run.
pub(super) fn speaks_wgsl(client: &Client) -> bool {
    client.name() == "wgpu<wgsl>"
}

/// The taps of a kernel of 3 and of 5 that may meet a support plane in one direction.
const TAPS_OF_3: [Range<usize>; 4] = [0..3, 0..2, 1..2, 1..3];
const TAPS_OF_5: [Range<usize>; 5] = [0..5, 0..4, 2..3, 2..4, 2..5];

/// Every shader in the forms that the networks ask for, by name: what a validator has to see.
pub fn shader_sources() -> Vec<(String, String)> {
    let mut sources =
        vec![("depthwise".to_string(), Convolution { kernel: 3, form: Form::Depthwise }.source().complete())];
    sources.push(("resize".to_string(), Resize.source().complete()));
    sources.push(("put_halves".to_string(), PutHalves.source().complete()));
    sources.extend(Guided::ALL.map(|step| (step.name().to_string(), step.source().complete())));
    sources.extend(Norm::ALL.map(|step| (step.name().to_string(), step.source().complete())));
    for tile in Tile::ALL {
        sources.extend(Keep::ALL.map(|keep| {
            let name = format!("correlation, {tile}, {}", keep.name());
            (name, Correlation { tile, keep }.source().complete())
        }));
        for (kernel, windows) in [(3, &TAPS_OF_3[..]), (5, &TAPS_OF_5)] {
            let both = windows.iter().flat_map(|down| windows.iter().map(move |across| [down.clone(), across.clone()]));
            sources.extend(both.map(|window| {
                let name = format!("center_pivot, kernel {kernel}, support taps {window:?}, {tile}");
                (name, CenterPivot { kernel, window, tile }.source().complete())
            }));
        }
        for weight in Keep::ALL {
            sources.extend([1, 3, 7].map(|kernel| {
                let name = format!("convolution, kernel {kernel}, {tile}, {}", weight.name());
                (name, Convolution { kernel, form: Form::Together(tile, weight) }.source().complete())
            }));
        }
    }
    sources
}

fn dims<const D: usize>(tensor: &CubeTensor) -> [usize; D] {
    tensor.meta.shape().dims()
}

/// Room for a result, in single precision, on the device of a tensor.
fn empty_like<const D: usize>(tensor: &CubeTensor, dims: [usize; D]) -> CubeTensor {
    let shape = Shape::new(dims);
    let handle = tensor.client.empty(shape.num_elements() * size_of::<f32>());
    CubeTensor::new_contiguous(tensor.client.clone(), tensor.device.clone(), shape, handle, DType::F32)
}

/// Any number of workgroups, over the first two dimensions of a dispatch.
fn spread(workgroups: usize) -> [usize; 2] {
    let across = workgroups.min(MAX_WORKGROUPS);
    [across, workgroups.div_ceil(across)]
}

/// Runs `source` over the buffers in the order of its bindings, and `info` as the last one.
fn launch<K: KernelSource>(source: K, workgroups: [usize; 3], buffers: &[&CubeTensor], info: &[usize]) {
    launch_over(&buffers[0].client, source, workgroups, buffers.iter().map(|buffer| &buffer.handle), info);
}

/// [`launch`], of buffers that are no tensors.
fn launch_over<'a, K: KernelSource>(
    client: &Client,
    source: K,
    workgroups: [usize; 3],
    buffers: impl IntoIterator<Item = &'a Handle>,
    info: &[usize],
) {
    // As metadata it is sent once and kept: bytes in a buffer of their own would end the command buffer at each launch.
    let half = |value: Option<&usize>| value.map_or(0, |&value| value as u64);
    let info = info.chunks(2).map(|pair| half(pair.first()) | half(pair.get(1)) << 32).collect();
    let bindings = buffers.into_iter().map(|buffer| buffer.clone().binding()).collect();
    let [x, y, z] = workgroups.map(|count| count as u32);
    // How many threads a workgroup has is said by the shader itself.
    client.launch(
        Box::new(SourceKernel::new(source, CubeDim::new_1d(THREADS))),
        CubeCount::Static(x, y, z),
        KernelArguments::new().with_buffers(bindings).with_info(MetadataBindingInfo::custom(info)),
    );
}
