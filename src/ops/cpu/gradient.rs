//! The gradients of the center-pivot convolution on the CPU, as products with the same matrices.

use std::ops::Range;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Flex, TensorMetadata};

use super::{CenterPivotShape, Matrix, Plan, accumulate, parallel, tensor};
use crate::ops::gradient::CenterPivotGradient;

impl CenterPivotGradient for Flex {
    fn center_pivot_volume_grad(
        volume: FloatTensor<Self>,
        weight_query: FloatTensor<Self>,
        weight_support: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        stride: usize,
    ) -> FloatTensor<Self> {
        let dims: [usize; 6] = volume.shape().dims();
        let plan = Plan::new(CenterPivotShape::new(dims, weight_query.shape().dims(), stride));
        let [weight_query, weight_support, grad] = [weight_query, weight_support, grad].map(|t| t.to_contiguous());
        let weights = plan.join(weight_query.storage(), weight_support.storage());
        let grad = grad.storage::<f32>();

        let samples = parallel((0..plan.shape.batch).collect(), |sample| {
            let mut volume_grad = vec![0f32; plan.volume_size()];
            for rows in plan.chunks() {
                let mut columns = vec![0f32; plan.depth() * plan.columns(&rows)];
                accumulate(
                    Matrix::new(&weights, plan.depth()).transposed(),
                    plan.grad(grad, sample, &rows),
                    &mut columns,
                );
                plan.scatter(&columns, rows, &mut volume_grad);
            }
            volume_grad
        });
        tensor(samples.concat(), dims)
    }

    fn center_pivot_weight_grad(
        volume: FloatTensor<Self>,
        weight_query: FloatTensor<Self>,
        _weight_support: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        stride: usize,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let dims: [usize; 4] = weight_query.shape().dims();
        let plan = Plan::new(CenterPivotShape::new(volume.shape().dims(), dims, stride));
        let [volume, grad] = [volume, grad].map(|t| t.to_contiguous());
        let (volume, grad) = (volume.storage::<f32>(), grad.storage::<f32>());

        // One sum a sample, added in their order: the result is the same to the bit however the work was shared.
        let samples = parallel((0..plan.shape.batch).collect(), |sample| {
            let mut weights = vec![0f32; plan.shape.outputs * plan.depth()];
            for rows in plan.chunks() {
                let columns = plan.gather(plan.sample(volume, sample), rows.clone());
                accumulate(
                    plan.grad(grad, sample, &rows),
                    Matrix::new(&columns, plan.columns(&rows)).transposed(),
                    &mut weights,
                );
            }
            weights
        });
        let sum = samples.into_iter().reduce(|mut sum, sample| {
            sum.iter_mut().zip(sample).for_each(|(a, b)| *a += b);
            sum
        });
        let (query, support) = plan.split(&sum.unwrap_or_default());
        (tensor(query, dims), tensor(support, dims))
    }
}

impl Plan {
    /// The part of the result's gradient that belongs to some query rows: `(outputs, columns)`.
    fn grad<'a>(&self, grad: &'a [f32], sample: usize, rows: &Range<usize>) -> Matrix<'a> {
        let positions = self.shape.positions();
        let start = sample * self.shape.outputs * positions + self.positions(rows).start;
        Matrix {
            values: &grad[start..],
            rows: self.shape.outputs,
            columns: self.columns(rows),
            row_stride: positions,
            column_stride: 1,
        }
    }

    /// The inverse of [`Plan::join`]; taps that were left out are zero.
    fn split(&self, joined: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let row = self.shape.channels * self.taps();
        let (mut query, mut support) = (Vec::new(), vec![0f32; self.shape.outputs * row]);
        for (joined, support) in joined.chunks_exact(self.depth()).zip(support.chunks_exact_mut(row)) {
            query.extend_from_slice(&joined[..row]);
            let met = joined[row..].chunks_exact(self.support_taps.len());
            for (values, taps) in met.zip(support.chunks_exact_mut(self.taps())) {
                self.support_taps.iter().zip(values).for_each(|(&tap, &value)| taps[tap] = value);
            }
        }
        (query, support)
    }

    fn scatter(&self, columns: &[f32], rows: Range<usize>, volume: &mut [f32]) {
        let step = self.shape.stride;
        self.runs(rows, |column, start, length| {
            let source = &columns[column..column + length];
            source.iter().zip(volume[start..].iter_mut().step_by(step)).for_each(|(from, to)| *to += *from);
        });
    }
}

impl Matrix<'_> {
    fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}
