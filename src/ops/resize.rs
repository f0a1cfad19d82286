//! Bilinear resizing with aligned corners, as products with small matrices: along any two neighbouring dimensions of a
//! tensor, without moving them to the end, and differentiable everywhere.

use burn::Tensor;
use burn::tensor::{Device, TensorData};

/// Resizes dimensions `dim` and `dim + 1` to `size`, corners aligned, each of the other positions on its own.
///
/// HSNet resizes the two *query* dimensions of its squeezed volumes this way (section 4.3).
pub fn resize_dims<const D: usize>(tensor: Tensor<D>, dim: usize, size: [usize; 2]) -> Tensor<D> {
    let tensor = resize_dim(tensor, dim, size[0]);
    resize_dim(tensor, dim + 1, size[1])
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

/// For each of `to` positions: the two of `from` that it lies between, and the second one's share.
///
/// In float32, in just these steps: rounding decides whether a position that should be whole falls a hair below, and
/// with soft masks that alone can switch a column of the correlation on.
pub(crate) fn taps(from: usize, to: usize) -> impl Iterator<Item = (usize, usize, f32)> {
    let scale = if to > 1 { (from - 1) as f32 / (to - 1) as f32 } else { 0.0 };
    (0..to).map(move |position| {
        let source = scale * position as f32;
        let low = source.floor() as usize;
        (low.min(from - 1), (low + 1).min(from - 1), source - low as f32)
    })
}
