//! The gradient of group normalisation and ReLU.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, TensorMetadata};
use burn::tensor::Shape;
use burn_autodiff::NodeId;
use burn_autodiff::checkpoint::base::Checkpointer;
use burn_autodiff::checkpoint::strategy::CheckpointStrategy;
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};

use burn_wgpu::CubeBackend;

use crate::ops::VARIANCE_EPSILON;
use crate::ops::kernels::NormKernel;

/// The gradient, in a composed form unless a backend has its own.
pub trait NormGradient: NormKernel {
    /// The gradients of the volume, of gamma and of beta, from that of the result.
    ///
    /// With x the normalised values, g what comes through the ReLU, and h = gamma g, it is
    /// (h - mean h - x mean (h x)) / deviation for the volume, the means being a group's; the sum of g x for gamma, and
    /// the sum of g for beta.
    fn group_norm_relu_grad(
        volume: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        groups: usize,
    ) -> [FloatTensor<Self>; 3] {
        let [shape, affine] = [volume.shape(), gamma.shape()];
        let [batch, channels, positions] = [shape[0], shape[1], shape.num_elements() / (shape[0] * shape[1])];
        let by_group = Shape::new([batch, groups, channels / groups * positions]);
        let by_channel = Shape::new([batch, channels, positions]);
        let mean = |values: FloatTensor<Self>| Self::float_mean_dim(values, 2);
        let squares = |values: FloatTensor<Self>| Self::float_mul(values.clone(), values);
        let grouped = |values| Self::float_reshape(values, by_group.clone());
        let channelled = |values| Self::float_reshape(values, by_channel.clone());
        let a_channel = |values| Self::float_reshape(values, Shape::new([1, channels, 1]));
        let over_all =
            |values| Self::float_reshape(Self::float_sum_dim(Self::float_sum_dim(values, 2), 0), affine.clone());

        let volume = grouped(volume);
        let centred = Self::float_sub(volume.clone(), mean(volume));
        let variance = Self::float_add_scalar(mean(squares(centred.clone())), (VARIANCE_EPSILON as f32).into());
        let deviation = Self::float_sqrt(variance);
        let normed = channelled(Self::float_div(centred, deviation.clone()));

        let (gamma, beta) = (a_channel(gamma), a_channel(beta));
        let before = Self::float_add(Self::float_mul(normed.clone(), gamma.clone()), beta);
        // The sign of a ReLU's result is its mask.
        let mask = Self::float_sign(Self::float_clamp_min(before, 0f32.into()));
        let through = Self::float_mul(channelled(grad), mask);
        let along = Self::float_mul(through.clone(), normed.clone());
        let scaled = grouped(Self::float_mul(through.clone(), gamma));
        let normed = grouped(normed);
        let by_value = Self::float_mul(normed.clone(), mean(Self::float_mul(scaled.clone(), normed)));
        let volume = Self::float_sub(Self::float_sub(scaled.clone(), mean(scaled)), by_value);
        let volume = Self::float_reshape(Self::float_div(volume, deviation), shape);
        [volume, over_all(along), over_all(through)]
    }
}

impl NormGradient for CubeBackend {}

#[derive(Debug)]
struct NormBackward;

/// What the backward pass needs: the nodes of the volume, of gamma and of beta, and the number of groups.
type State = ([NodeId; 3], usize);

impl<B: NormGradient> Backward<B, 3> for NormBackward {
    type State = State;

    fn backward(self, ops: Ops<State, 3>, grads: &mut Gradients, checkpointer: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        let (inputs, groups) = ops.state;
        let [volume, gamma, beta] = inputs.map(|node| checkpointer.retrieve_node_output::<FloatTensor<B>>(node));
        let found = B::group_norm_relu_grad(volume, gamma, beta, grad, groups);
        for (node, grad) in ops.parents.into_iter().zip(found) {
            if let Some(node) = node {
                grads.register::<B>(node.id, grad);
            }
        }
    }
}

impl<B: NormGradient, C: CheckpointStrategy> NormKernel for Autodiff<B, C> {
    fn group_norm_relu(
        volume: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        groups: usize,
    ) -> FloatTensor<Self> {
        let nodes = [volume.node(), gamma.node(), beta.node()];
        match NormBackward.prepare::<C>(nodes).compute_bound().stateful() {
            OpsKind::Tracked(mut prep) => {
                let state = ([&volume, &gamma, &beta].map(|input| prep.checkpoint(input)), groups);
                let [volume, gamma, beta] = [volume, gamma, beta].map(|input| input.into_primitive());
                prep.finish(state, B::group_norm_relu(volume, gamma, beta, groups))
            }
            OpsKind::UnTracked(prep) => {
                let [volume, gamma, beta] = [volume, gamma, beta].map(|input| input.into_primitive());
                prep.finish(B::group_norm_relu(volume, gamma, beta, groups))
            }
        }
    }
}
