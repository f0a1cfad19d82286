//! Bilinear resizing with aligned corners along any two neighbouring dimensions of a tensor, without moving them to the
//! end: as a shader, or as products with small matrices, which are differentiable everywhere.

use burn::Tensor;
use burn::backend::Dispatch;
use burn::tensor::{Device, TensorData};

use super::kernels::ResizeKernel;
use super::runs_wgsl;
use crate::sampling::taps;

/// Resizes dimensions `dim` and `dim + 1` to `size`, corners aligned, each of the other positions on its own.
///
/// HSNet resizes the two *query* dimensions of its squeezed volumes this way (section 4.3).
pub fn resize_dims<const D: usize>(tensor: Tensor<D>, dim: usize, size: [usize; 2]) -> Tensor<D> {
    let (mut dims, device) = (tensor.dims(), tensor.device());
    if dims[dim..dim + 2] == size {
        return tensor;
    }
    if device.is_autodiff() || !runs_wgsl(&device) {
        let tensor = resize_dim(tensor, dim, size[0]);
        return resize_dim(tensor, dim + 1, size[1]);
    }
    let area = |dims: &[usize]| dims.iter().product::<usize>();
    let planes = tensor.reshape([area(&dims[..dim]), dims[dim], dims[dim + 1], area(&dims[dim + 2..])]);
    dims[dim..dim + 2].copy_from_slice(&size);
    Tensor::<4>::from_dispatch(Dispatch::resize(planes.into_dispatch(), size[0], size[1])).reshape(dims)
}

/// Resizes planes `(batch, channels, h, w)` to `size`, corners aligned.
pub fn resize_pictures(planes: Tensor<4>, size: [usize; 2]) -> Tensor<4> {
    resize_dims(planes, 2, size)
}

fn resize_dim<const D: usize>(tensor: Tensor<D>, dim: usize, to: usize) -> Tensor<D> {
    let mut dims = tensor.dims();
    let from = dims[dim];
    if from == to {
        return tensor;
    }
    let outer: usize = dims[..dim].iter().product();
    let inner: usize = dims[dim + 1..].iter().product();
    let weights = weights(from, to, &tensor.device());
    dims[dim] = to;
    if inner == 1 {
        return tensor.reshape([outer, from]).matmul(weights.transpose()).reshape(dims);
    }
    weights.unsqueeze::<3>().matmul(tensor.reshape([outer, from, inner])).reshape(dims)
}

/// The matrix `(to, from)` whose rows hold the two weights of each new position.
fn weights(from: usize, to: usize, device: &Device) -> Tensor<2> {
    let mut matrix = vec![0f32; to * from];
    for (row, (low, high, share)) in taps(from, to).enumerate() {
        matrix[row * from + low] += 1.0 - share;
        matrix[row * from + high] += share;
    }
    Tensor::from_data(TensorData::new(matrix, [to, from]), device)
}
