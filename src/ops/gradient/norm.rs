//! The gradient of group normalisation and ReLU.

use burn::backend::Autodiff;
use burn::backend::tensor::FloatTensor;
use burn_autodiff::NodeId;
use burn_autodiff::checkpoint::base::Checkpointer;
use burn_autodiff::checkpoint::strategy::CheckpointStrategy;
use burn_autodiff::grads::Gradients;
use burn_autodiff::ops::{Backward, Ops, OpsKind};

use crate::ops::kernels::NormKernel;

/// The gradient on the backends that have the operation.
pub trait NormGradient: NormKernel {
    /// The gradients of the volume, of gamma and of beta, from that of the result.
    fn group_norm_relu_grad(
        volume: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        groups: usize,
    ) -> [FloatTensor<Self>; 3];
}

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
