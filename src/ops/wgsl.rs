//! The operations as compute shaders: `shaders/` run inside burn.

mod guided;
mod norm;

use burn::backend::tensor::FloatTensor;
use burn::tensor::Shape;
use burn_cubecl::cubecl::CubeCount;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::cubecl::server::{Handle, KernelArguments};
use burn_wgpu::{CubeBackend, CubeDim, CubeTensor, KernelSource, SourceKernel, SourceTemplate, into_contiguous};

pub(super) use burn_cubecl::cubecl::client::Client;
pub(super) use guided::guided_labels;

use super::kernels::{CenterPivotKernel, CenterPivotShape, CorrelationKernel};
use guided::Guided;
use norm::Norm;

/// Positions a side of a correlation's tile.
const TILE: usize = 64;
/// Results that a center-pivot workgroup makes: output channels times positions.
const CENTER_PIVOT_TILE: usize = 64 * 64;
const THREADS: u32 = 256;
/// What every adapter allows in one dimension of a dispatch.
const MAX_WORKGROUPS: usize = 65_535;

/// Whether the device compiles WGSL; with other compilers (CUDA, or SPIR-V straight) our shaders cannot run.
pub(super) fn speaks_wgsl(client: &Client) -> bool {
    client.name() == "wgpu<wgsl>"
}

struct Correlation;

impl KernelSource for Correlation {
    fn source(&self) -> SourceTemplate {
        SourceTemplate::new(include_str!("../../shaders/correlation.wgsl"))
    }

    fn id(&self) -> KernelId {
        KernelId::new::<Self>()
    }

    fn lang(&self) -> &'static str {
        "wgsl"
    }
}

/// One form of the center-pivot shader: the kernel's side and the output channels that a workgroup makes.
struct CenterPivot {
    kernel: usize,
    rows: usize,
}

impl CenterPivot {
    fn for_shape(shape: &CenterPivotShape) -> Self {
        Self { kernel: shape.kernel, rows: if shape.outputs <= 16 { 16 } else { 64 } }
    }

    /// The positions that a workgroup makes.
    fn columns(&self) -> usize {
        CENTER_PIVOT_TILE / self.rows
    }
}

impl KernelSource for CenterPivot {
    fn source(&self) -> SourceTemplate {
        SourceTemplate::new(include_str!("../../shaders/center_pivot.wgsl"))
            .register("kernel", self.kernel.to_string())
            .register("rows", self.rows.to_string())
            .register("columns", self.columns().to_string())
    }

    fn id(&self) -> KernelId {
        KernelId::new::<Self>().info((self.kernel, self.rows))
    }

    fn lang(&self) -> &'static str {
        "wgsl"
    }
}

/// Every shader in every form that its template takes, by name: what a validator has to see.
pub fn shader_sources() -> Vec<(String, String)> {
    let mut sources = vec![("correlation".to_string(), Correlation.source().complete())];
    sources.extend(Guided::ALL.map(|step| (step.name().to_string(), step.source().complete())));
    sources.extend(Norm::ALL.map(|step| (step.name().to_string(), step.source().complete())));
    for kernel in [3, 5] {
        for rows in [16, 64] {
            let name = format!("center_pivot, kernel {kernel}, {rows} rows");
            sources.push((name, CenterPivot { kernel, rows }.source().complete()));
        }
    }
    sources
}

impl CorrelationKernel for CubeBackend {
    fn correlation(query: FloatTensor<Self>, support: FloatTensor<Self>, widths: Vec<usize>) -> FloatTensor<Self> {
        let (query, support) = (into_contiguous(query), into_contiguous(support));
        let [batch, _, query_h, query_w] = dims(&query);
        let [_, _, support_h, support_w] = dims(&support);
        let (queries, supports, layers) = (query_h * query_w, support_h * support_w, widths.len());
        let output = empty_like(&query, [batch, layers, query_h, query_w, support_h, support_w]);

        let mut info = vec![queries, supports, layers, 0];
        info.extend(widths.iter().scan(0, |end, width| {
            *end += width;
            Some(*end)
        }));
        let count = [supports.div_ceil(TILE), queries.div_ceil(TILE), batch * layers];
        launch(Correlation, count, &[&query, &support, &output], &info);
        output
    }
}

impl CenterPivotKernel for CubeBackend {
    fn center_pivot(
        volume: FloatTensor<Self>,
        weight_query: FloatTensor<Self>,
        bias_query: FloatTensor<Self>,
        weight_support: FloatTensor<Self>,
        bias_support: FloatTensor<Self>,
        stride: usize,
    ) -> FloatTensor<Self> {
        let inputs = [volume, weight_query, bias_query, weight_support, bias_support].map(into_contiguous);
        let [volume, weight_query, bias_query, weight_support, bias_support] = &inputs;
        let shape = CenterPivotShape::new(dims(volume), dims(weight_query), stride);
        let output = empty_like(volume, shape.output_dims());

        let source = CenterPivot::for_shape(&shape);
        let tiles = shape.positions().div_ceil(source.columns());
        let across = tiles.min(MAX_WORKGROUPS);
        let count = [across, tiles.div_ceil(across), shape.batch * shape.outputs.div_ceil(source.rows)];
        let info = [[shape.channels, shape.outputs], shape.query, shape.support, shape.strided, [shape.stride, 0]];
        let buffers = [volume, weight_query, bias_query, weight_support, bias_support, &output];
        launch(source, count, &buffers, info.as_flattened());
        output
    }
}

fn dims<const D: usize>(tensor: &CubeTensor) -> [usize; D] {
    tensor.meta.shape().dims()
}

fn empty_like<const D: usize>(tensor: &CubeTensor, dims: [usize; D]) -> CubeTensor {
    let shape = Shape::new(dims);
    let handle = tensor.client.empty(shape.num_elements() * size_of::<f32>());
    CubeTensor::new_contiguous(tensor.client.clone(), tensor.device.clone(), shape, handle, tensor.dtype)
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
    let info: Vec<u8> = info.iter().flat_map(|&value| (value as u32).to_le_bytes()).collect();
    let mut bindings: Vec<_> = buffers.into_iter().map(|buffer| buffer.clone().binding()).collect();
    bindings.push(client.create_from_slice(&info).binding());
    let [x, y, z] = workgroups.map(|count| count as u32);
    client.launch(
        Box::new(SourceKernel::new(source, CubeDim::new_1d(THREADS))),
        CubeCount::Static(x, y, z),
        KernelArguments::new().with_buffers(bindings),
    );
}
