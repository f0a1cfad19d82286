//! The correlation: the features brought to length one, then one product of matrices a layer, clamped while it is
//! still in the cache.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Flex, TensorMetadata};

use super::matrix::{Matrix, Target, multiply};
use super::{contiguous, parallel, tensor};
use crate::ops::EPSILON;
use crate::ops::kernels::CorrelationKernel;

/// Query positions correlated at a time.
const ROWS: usize = 64;

impl CorrelationKernel for Flex {
    fn correlation(query: FloatTensor<Self>, support: FloatTensor<Self>, widths: Vec<usize>) -> FloatTensor<Self> {
        let [batch, _, query_h, query_w] = query.shape().dims();
        let [_, _, support_h, support_w] = support.shape().dims();
        let (queries, supports) = (query_h * query_w, support_h * support_w);
        let [query, support] = contiguous([query, support]);
        let query = units(query.storage(), queries, &widths);
        let support = units(support.storage(), supports, &widths);

        let mut output = vec![0f32; query.len() * queries * supports];
        // A single support comes again with every query.
        let layers = query.iter().zip(support.iter().cycle()).zip(output.chunks_exact_mut(queries * supports));
        let pieces = layers.flat_map(|((query, support), output)| {
            let pieces = output.chunks_mut(ROWS * supports).enumerate();
            pieces.map(move |(piece, output)| (query, support, piece * ROWS, output))
        });
        parallel(pieces.collect(), |(query, support, first, output)| {
            let query = Matrix {
                values: &query[first..],
                rows: output.len() / supports,
                columns: query.len() / queries,
                row_stride: 1,
                column_stride: queries,
            };
            multiply(query, Matrix::new(support, supports), Target::new(output, supports));
            output.iter_mut().for_each(|value| *value = value.max(0.0));
        });
        tensor(output, [batch, widths.len(), query_h, query_w, support_h, support_w])
    }
}

/// Features `(batch, channels, position)`, each layer's divided by their norm: of every sample and layer one matrix
/// `(width, position)`.
fn units(features: &[f32], positions: usize, widths: &[usize]) -> Vec<Vec<f32>> {
    let channels: usize = widths.iter().sum();
    let layers = features.chunks_exact(channels * positions).flat_map(|sample| {
        widths.iter().scan(sample, |rest, width| {
            let (layer, after) = rest.split_at(width * positions);
            *rest = after;
            Some(layer)
        })
    });
    parallel(layers.collect(), |layer| unit(layer, positions))
}

fn unit(layer: &[f32], positions: usize) -> Vec<f32> {
    let mut scale = vec![0f32; positions];
    for channel in layer.chunks_exact(positions) {
        scale.iter_mut().zip(channel).for_each(|(sum, value)| *sum += value * value);
    }
    scale.iter_mut().for_each(|scale| *scale = 1.0 / (scale.sqrt() + EPSILON as f32));
    layer
        .chunks_exact(positions)
        .flat_map(|channel| channel.iter().zip(&scale).map(|(value, scale)| value * scale))
        .collect()
}
