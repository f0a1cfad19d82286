//! The gradient of the center-pivot convolution.

use burn::backend::ops::ConvOptions;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, TensorMetadata};
use burn::tensor::{Shape, Slice};
use burn_autodiff::NodeId;
use burn_autodiff::checkpoint::base::Checkpointer;
use burn_autodiff::checkpoint::strategy::CheckpointStrategy;
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};

use burn_wgpu::CubeBackend;

use crate::ops::kernels::{CenterPivotKernel, CenterPivotShape};

/// The two gradients that are work, each in a composed form unless a backend has its own. That of the biases is a sum.
pub trait CenterPivotGradient: CenterPivotKernel {
    /// The gradient of the volume, from that of the result.
    fn center_pivot_volume_grad(
        volume: FloatTensor<Self>,
        weight_query: FloatTensor<Self>,
        weight_support: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        stride: usize,
    ) -> FloatTensor<Self> {
        let shape = CenterPivotShape::new(volume.shape().dims(), weight_query.shape().dims(), stride);
        let [query, _] = Branch::both(&shape);
        let kept = Self::float_slice(volume.clone(), &shape.kept());
        let kept_shape = kept.shape();
        let by_query = Self::conv3d_x_backward(
            Self::float_reshape(kept, query.volume),
            Self::float_reshape(weight_query, query.weight),
            Self::float_reshape(grad.clone(), query.grad),
            query.options,
        );
        // Zeros between the kept positions turn the strided convolution into a dense one: burn-cubecl 0.22.1 returns
        // zeros for the gradient of a strided 3D convolution.
        let [batch, outputs, ..] = shape.output_dims();
        let ([qh, qw], [sh, sw]) = (shape.query, shape.support);
        let zeros = Shape::new([batch, outputs, qh, qw, sh, sw]);
        let zeros = Self::float_zeros(zeros, &grad.device(), grad.dtype().into());
        let dense = Self::float_slice_assign(zeros, &shape.kept(), grad);
        let [_, support] = Branch::both(&CenterPivotShape { stride: 1, strided: shape.support, ..shape });
        let by_support = Self::conv3d_x_backward(
            Self::float_reshape(volume.clone(), support.volume),
            Self::float_reshape(weight_support, support.weight),
            Self::float_reshape(dense, support.grad),
            support.options,
        );
        let by_query = Self::float_reshape(by_query, kept_shape);
        let by_support = Self::float_reshape(by_support, volume.shape());
        let sum = Self::float_add(by_query, Self::float_slice(by_support.clone(), &shape.kept()));
        Self::float_slice_assign(by_support, &shape.kept(), sum)
    }

    /// The gradients of the query plane's and the support plane's weights, from that of the result.
    fn center_pivot_weight_grad(
        volume: FloatTensor<Self>,
        weight_query: FloatTensor<Self>,
        weight_support: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        stride: usize,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let weight_shape = weight_query.shape();
        let shape = CenterPivotShape::new(volume.shape().dims(), weight_shape.dims(), stride);
        let [query, support] = Branch::both(&shape);
        let kept = Self::float_slice(volume.clone(), &shape.kept());
        let of_query = Self::conv3d_weight_backward(
            Self::float_reshape(kept, query.volume),
            Self::float_reshape(weight_query, query.weight),
            Self::float_reshape(grad.clone(), query.grad),
            query.options,
        );
        let of_support = Self::conv3d_weight_backward(
            Self::float_reshape(volume, support.volume),
            Self::float_reshape(weight_support, support.weight),
            Self::float_reshape(grad, support.grad),
            support.options,
        );
        (Self::float_reshape(of_query, weight_shape.clone()), Self::float_reshape(of_support, weight_shape))
    }
}

impl CenterPivotGradient for CubeBackend {}

#[derive(Debug)]
struct CenterPivotBackward;

/// What the backward pass needs: the nodes of the volume and of both planes' weights, and the stride.
type State = (NodeId, NodeId, NodeId, usize);

impl<B: CenterPivotGradient> Backward<B, 5> for CenterPivotBackward {
    type State = State;

    fn backward(self, ops: Ops<State, 5>, grads: &mut Gradients, checkpointer: &mut Checkpointer) {
        let [volume_node, weight_query_node, bias_query_node, weight_support_node, bias_support_node] = ops.parents;
        let grad = grads.consume::<B>(&ops.node);
        let (volume, weight_query, weight_support, stride) = ops.state;
        let volume = checkpointer.retrieve_node_output::<FloatTensor<B>>(volume);
        let weight_query = checkpointer.retrieve_node_output::<FloatTensor<B>>(weight_query);
        let weight_support = checkpointer.retrieve_node_output::<FloatTensor<B>>(weight_support);

        if weight_query_node.is_some() || weight_support_node.is_some() {
            let (query, support) = B::center_pivot_weight_grad(
                volume.clone(),
                weight_query.clone(),
                weight_support.clone(),
                grad.clone(),
                stride,
            );
            for (node, weight_grad) in [(weight_query_node, query), (weight_support_node, support)] {
                if let Some(node) = node {
                    grads.register::<B>(node.id, weight_grad);
                }
            }
        }
        for node in [bias_query_node, bias_support_node].into_iter().flatten() {
            grads.register::<B>(node.id, bias_grad::<B>(grad.clone()));
        }
        if let Some(node) = volume_node {
            let volume_grad = B::center_pivot_volume_grad(volume, weight_query, weight_support, grad, stride);
            grads.register::<B>(node.id, volume_grad);
        }
    }
}

impl<B: CenterPivotGradient, C: CheckpointStrategy> CenterPivotKernel for Autodiff<B, C> {
    fn center_pivot(
        volume: FloatTensor<Self>,
        weight_query: FloatTensor<Self>,
        bias_query: FloatTensor<Self>,
        weight_support: FloatTensor<Self>,
        bias_support: FloatTensor<Self>,
        stride: usize,
    ) -> FloatTensor<Self> {
        let nodes = [volume.node(), weight_query.node(), bias_query.node(), weight_support.node(), bias_support.node()];
        match CenterPivotBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(mut prep) => {
                let state = (
                    prep.checkpoint(&volume),
                    prep.checkpoint(&weight_query),
                    prep.checkpoint(&weight_support),
                    stride,
                );
                let output = B::center_pivot(
                    volume.into_primitive(),
                    weight_query.into_primitive(),
                    bias_query.into_primitive(),
                    weight_support.into_primitive(),
                    bias_support.into_primitive(),
                    stride,
                );
                prep.finish(state, output)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::center_pivot(
                volume.into_primitive(),
                weight_query.into_primitive(),
                bias_query.into_primitive(),
                weight_support.into_primitive(),
                bias_support.into_primitive(),
                stride,
            )),
        }
    }
}

/// One branch as a 3D convolution that is flat in the plane it leaves alone.
struct Branch {
    volume: Shape,
    weight: Shape,
    grad: Shape,
    options: ConvOptions<3>,
}

impl Branch {
    /// The query plane's branch, over the pruned volume, and the support plane's.
    fn both(shape: &CenterPivotShape) -> [Self; 2] {
        let &CenterPivotShape { batch, channels, outputs, stride, kernel, .. } = shape;
        let ([qh, qw], [sh, sw], [th, tw]) = (shape.query, shape.support, shape.strided);
        let half = kernel / 2;
        let query = Self {
            volume: Shape::new([batch, channels, qh, qw, th * tw]),
            weight: Shape::new([outputs, channels, kernel, kernel, 1]),
            grad: Shape::new([batch, outputs, qh, qw, th * tw]),
            options: ConvOptions::new([1, 1, 1], [half, half, 0], [1, 1, 1], 1),
        };
        let support = Self {
            volume: Shape::new([batch, channels, qh * qw, sh, sw]),
            weight: Shape::new([outputs, channels, 1, kernel, kernel]),
            grad: Shape::new([batch, outputs, qh * qw, th, tw]),
            options: ConvOptions::new([1, stride, stride], [0, half, half], [1, 1, 1], 1),
        };
        [query, support]
    }
}

impl CenterPivotShape {
    /// The support positions that survive the stride: every `stride`-th, from the first.
    fn kept(&self) -> [Slice; 6] {
        let full = Slice::new(0, None, 1);
        let strided = Slice::new(0, None, self.stride as isize);
        [full, full, full, full, strided, strided]
    }
}

/// Sums a gradient `(batch, outputs, ..)` to that of a bias `(outputs)`.
fn bias_grad<B: Backend>(grad: FloatTensor<B>) -> FloatTensor<B> {
    let shape = grad.shape();
    let (batch, outputs) = (shape[0], shape[1]);
    let rest = shape.num_elements() / (batch * outputs);
    let grad = B::float_reshape(grad, Shape::new([batch, outputs, rest]));
    let sum = B::float_sum_dim(B::float_sum_dim(grad, 2), 0);
    B::float_reshape(sum, Shape::new([outputs]))
}
