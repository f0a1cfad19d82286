//! The gradient of the correlation, for a backbone that is trained too.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, TensorMetadata};
use burn::tensor::{Shape, Slice};
use burn_autodiff::NodeId;
use burn_autodiff::checkpoint::base::Checkpointer;
use burn_autodiff::checkpoint::strategy::CheckpointStrategy;
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};

use crate::ops::EPSILON;
use crate::ops::kernels::CorrelationKernel;

#[derive(Debug)]
struct CorrelationBackward;

/// What the backward pass needs of the backend `B`: the nodes of query and support, the result, and the layers' widths.
type State<B> = (NodeId, NodeId, FloatTensor<B>, Vec<usize>);

impl<B: CorrelationKernel> Backward<B, 2> for CorrelationBackward {
    type State = State<B>;

    fn backward(self, ops: Ops<State<B>, 2>, grads: &mut Gradients, checkpointer: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        let (query, support, output, widths) = ops.state;
        let [query, support] = [query, support].map(|node| checkpointer.retrieve_node_output::<FloatTensor<B>>(node));
        // Nothing comes through where the cosine was negative and the result is zero. It is positive elsewhere, so that
        // its sign is the mask.
        let grad = B::float_mul(grad, B::float_sign(output));

        let [batch, layers, query_h, query_w, support_h, support_w] = grad.shape().dims();
        let (queries, supports) = (query_h * query_w, support_h * support_w);
        let shapes = [query.shape(), support.shape()];
        let mut found = [Vec::new(), Vec::new()];
        let mut start = 0;
        for (layer, width) in (0..layers).zip(widths) {
            let channels = Slice::from(start..start + width);
            start += width;
            let part = |features: &FloatTensor<B>, positions| {
                let part = B::float_slice(features.clone(), &[Slice::full(), channels]);
                Unit::<B>::new(B::float_reshape(part, Shape::new([batch, width, positions])))
            };
            let (query, support) = (part(&query, queries), part(&support, supports));
            let grad = B::float_slice(grad.clone(), &[Slice::full(), Slice::from(layer..layer + 1)]);
            let grad = B::float_reshape(grad, Shape::new([batch, queries, supports]));
            let transposed = B::float_swap_dims(grad.clone(), 1, 2);
            found[0].push(query.grad(B::float_matmul(support.unit.clone(), transposed)));
            found[1].push(support.grad(B::float_matmul(query.unit.clone(), grad)));
        }
        for ((node, found), shape) in ops.parents.into_iter().zip(found).zip(shapes) {
            if let Some(node) = node {
                grads.register::<B>(node.id, B::float_reshape(B::float_cat(found, 1), shape));
            }
        }
    }
}

/// Features `(batch, channels, position)` divided by their norm `n + e`.
struct Unit<B: Backend> {
    features: FloatTensor<B>,
    unit: FloatTensor<B>,
    norm: FloatTensor<B>,
}

impl<B: Backend> Unit<B> {
    fn new(features: FloatTensor<B>) -> Self {
        let squares = B::float_sum_dim(B::float_mul(features.clone(), features.clone()), 1);
        // Masked features are exactly zero; the norm is divided by.
        let norm = B::float_sqrt(B::float_clamp_min(squares, 1e-30f32.into()));
        let unit = B::float_div(features.clone(), B::float_add_scalar(norm.clone(), (EPSILON as f32).into()));
        Self { features, unit, norm }
    }

    /// The gradient of the features f from that of their unit u, g: (g - f (u . g) / n) / (n + e).
    fn grad(&self, grad: FloatTensor<B>) -> FloatTensor<B> {
        let along = B::float_sum_dim(B::float_mul(self.unit.clone(), grad.clone()), 1);
        let away = B::float_mul(self.features.clone(), B::float_div(along, self.norm.clone()));
        let norm = B::float_add_scalar(self.norm.clone(), (EPSILON as f32).into());
        B::float_div(B::float_sub(grad, away), norm)
    }
}

impl<B: CorrelationKernel, C: CheckpointStrategy> CorrelationKernel for Autodiff<B, C> {
    fn correlation(query: FloatTensor<Self>, support: FloatTensor<Self>, widths: Vec<usize>) -> FloatTensor<Self> {
        let nodes = [query.node(), support.node()];
        match CorrelationBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(mut prep) => {
                let (query_node, support_node) = (prep.checkpoint(&query), prep.checkpoint(&support));
                let output = B::correlation(query.into_primitive(), support.into_primitive(), widths.clone());
                prep.finish((query_node, support_node, output.clone(), widths), output)
            }
            OpsKind::UnTracked(prep) => {
                prep.finish(B::correlation(query.into_primitive(), support.into_primitive(), widths))
            }
        }
    }
}
