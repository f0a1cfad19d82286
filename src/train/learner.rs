//! What is trained: a network, and the running average of its weights.

use std::sync::Arc;

use burn::Tensor;
use burn::lr_scheduler::module_lr_scheduler::ModuleLearningRate;
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::activation::{sigmoid, softplus};
use burn::tensor::{ExecutionError, GradientCheckpointingStrategy};
use burn::train::metric::{Adaptor, LossInput};
use burn::train::{InferenceStep, ItemLazy, TrainOutput, TrainStep};

use super::batch::{Batch, Role};
use super::recipe::Loss;
use crate::episode::Episode;
use crate::hsnet::Hsnet;
use crate::ops::resize_pictures;

/// A network in training.
#[derive(Module, Debug)]
pub struct Trainee {
    model: Hsnet,
    /// The average that is validated and exported. Its parameters have identities of their own and take no gradient.
    pub average: Hsnet,
    /// What the average takes from the model at each step, 0..=1.
    rate: f64,
    /// What a batch's loss counts in a step, where several batches make one.
    share: f64,
    #[module(skip)]
    loss: Loss,
}

impl Trainee {
    /// Starts from `model`, with gradients for its learner and, if it is to be trained too, its backbone.
    pub fn new(mut model: Hsnet, train_backbone: bool, rate: f64) -> Self {
        let average = model.clone().map(&mut Copies);
        if !train_backbone {
            model.backbone = model.backbone.freeze();
        }
        Self { model, average, rate, share: 1.0, loss: Loss::CrossEntropy }.train()
    }

    /// The same with another loss than the cross-entropy.
    pub fn minimising(self, loss: Loss) -> Self {
        Self { loss, ..self }
    }

    /// The same, each batch being only a `share` of a step whose gradients are summed.
    pub fn sharing(self, share: f64) -> Self {
        Self { share, ..self }
    }

    /// The same, computing again for the gradient what is cheap to compute, instead of keeping it. Inputs must be on a
    /// device with gradient checkpointing too.
    pub fn sparing(self) -> Self {
        self.map(&mut Sparing)
    }
}

impl TrainStep for Trainee {
    type Input = Batch;
    type Output = Found;

    fn step(&self, batch: Batch) -> TrainOutput<Found> {
        let found = Found::by(&self.model, batch, self.loss);
        TrainOutput::new(self, (found.loss.clone() * self.share).backward(), found)
    }

    fn optimize(self, optimizer: &mut ModuleOptimizer, rates: ModuleLearningRate, gradients: GradientsParams) -> Self {
        let Self { model, average, rate, share, loss } = optimizer.step(rates, self, gradients);
        let average = average.map(&mut Follow { values: values(&model), rate });
        Self { model, average, rate, share, loss }
    }
}

impl InferenceStep for Trainee {
    type Input = Batch;
    type Output = Found;

    fn step(&self, batch: Batch) -> Found {
        Found::by(&self.average, batch, self.loss)
    }
}

/// What a network found in a batch.
pub struct Found {
    loss: Tensor<1>,
    /// Of every shot, the logit of the object less that of the background, `(batch, 1, h, w)` at the queries' size.
    pub margins: Vec<Tensor<4>>,
    pub episodes: Arc<[(Role, Arc<Episode>)]>,
}

impl Found {
    /// Runs `network` on the batch, once a shot. The loss is that of the shots' mean logits: the vote that joins shots
    /// where the network is used has no gradient. As resizing is linear, the logits' difference is resized in place of
    /// both.
    pub fn by(network: &Hsnet, batch: Batch, loss: Loss) -> Self {
        let [_, _, height, width] = batch.target.dims();
        let query = network.features(batch.query);
        let margin = |shot| {
            let logits = network.logits(&query, &network.support(shot));
            resize_pictures(logits.clone().narrow(1, 1, 1) - logits.narrow(1, 0, 1), [height, width])
        };
        let margins: Vec<Tensor<4>> = batch.shots.into_iter().map(margin).collect();
        let mean = Tensor::cat(margins.clone(), 1).mean_dim(1);
        let entropy = cross_entropy(mean.clone(), batch.target.clone());
        let loss = match loss {
            Loss::CrossEntropy => entropy,
            Loss::Overlap => entropy + apart(mean, batch.target),
        };
        Self { loss, margins: margins.into_iter().map(Tensor::detach).collect(), episodes: batch.episodes }
    }
}

/// The mean cross-entropy over all pixels, from the margin m of the object's logit over the background's: with two
/// classes it is softplus(m) - m on the object and softplus(m) elsewhere.
fn cross_entropy(margin: Tensor<4>, target: Tensor<4>) -> Tensor<1> {
    (softplus(margin.clone(), 1.0) - margin * target).mean()
}

/// One less the soft overlap of prediction and truth (Dice; Milletari et al., 3DV 2016), on average over the episodes.
fn apart(margin: Tensor<4>, target: Tensor<4>) -> Tensor<1> {
    let sum = |plane: Tensor<4>| plane.flatten::<2>(1, 3).sum_dim(1);
    let found = sigmoid(margin);
    let common = sum(found.clone() * target.clone()) * 2.0 + 1.0;
    let overlap = common / (sum(found) + sum(target) + 1.0);
    (-overlap + 1.0).mean()
}

impl ItemLazy for Found {
    fn sync(self) -> Result<Self, ExecutionError> {
        Ok(self)
    }
}

impl Adaptor<LossInput> for Found {
    fn adapt(&self) -> LossInput {
        LossInput::new(self.loss.clone())
    }
}

/// Gives every parameter a copy of its own that takes no gradient.
struct Copies;

impl ModuleMapper for Copies {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        Param::from_tensor(param.val().detach()).set_require_grad(false)
    }
}

/// Marks every parameter for gradient checkpointing; moving it to a device that has it does not.
struct Sparing;

impl ModuleMapper for Sparing {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|tensor| tensor.with_gradient_checkpointing_strategy(GradientCheckpointingStrategy::Balanced))
    }
}

/// Every parameter of a module, flattened, in order.
fn values(module: &Hsnet) -> std::vec::IntoIter<Tensor<1>> {
    struct Values(Vec<Tensor<1>>);
    impl ModuleVisitor for Values {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0.push(param.val().without_autodiff().flatten(0, D - 1));
        }
    }
    let mut values = Values(Vec::new());
    module.visit(&mut values);
    values.0.into_iter()
}

/// Moves every parameter towards its value in another module of the same kind.
struct Follow {
    values: std::vec::IntoIter<Tensor<1>>,
    rate: f64,
}

impl ModuleMapper for Follow {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let Some(value) = self.values.next() else {
            return param;
        };
        // Off the graph: under autodiff each average would hang on the one before it, and the graph grow step by step.
        param.map(|average| {
            let average = average.without_autodiff();
            let value = value.reshape(average.shape());
            let next = if self.rate < 1.0 { average.clone() + (value - average) * self.rate } else { value };
            next.autodiff()
        })
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use burn::optim::{GradientsAccumulator, SgdConfig};
    use burn::tensor::{Device, Tolerance};

    use super::*;
    use crate::backbone::BackboneKind;
    use crate::data::{Drawn, Source, stream};
    use crate::hsnet::Design;
    use crate::train::batch::Batching;

    #[test]
    fn the_loss_is_the_cross_entropy_of_two_classes() {
        let device = Device::flex();
        // Softmax of the logits (0, m): the object has 1 / (1 + e^-m).
        let margin = Tensor::from_data([[[[2.0, -1.0, 60.0, -60.0]]]], &device);
        let target = Tensor::from_data([[[[1.0, 1.0, 0.0, 0.0]]]], &device);
        let expected = ((1.0f64 + (-2.0f64).exp()).ln() + (1.0 + 1f64.exp()).ln() + 60.0) / 4.0;
        let loss = cross_entropy(margin, target).into_data();
        loss.assert_approx_eq::<f32>(&[expected as f32].into(), Tolerance::rel_abs(1e-5, 1e-5));
    }

    #[test]
    fn the_overlap_is_that_of_dice() {
        let device = Device::flex();
        // Two episodes: found for sure where it is, and for sure nowhere.
        let margin = Tensor::from_data([[[[60.0, -60.0, -60.0]]], [[[-60.0, -60.0, -60.0]]]], &device);
        let target = Tensor::from_data([[[[1.0, 1.0, 0.0]]], [[[1.0, 1.0, 1.0]]]], &device);
        let expected = 1.0 - ((2.0 + 1.0) / (1.0 + 2.0 + 1.0) + (0.0 + 1.0) / (0.0 + 3.0 + 1.0)) / 2.0;
        apart(margin, target).into_data().assert_approx_eq::<f32>(&[expected].into(), Tolerance::rel_abs(1e-5, 1e-5));
    }

    fn numbers(module: &Hsnet) -> Vec<f32> {
        values(module).flat_map(|value| value.try_into_vec_as::<f32>().unwrap()).collect()
    }

    const KIND: BackboneKind = BackboneKind::MobilenetV2;

    /// Drawn episodes of `shots` supports, on a device.
    fn batch(numbers: Range<u64>, shots: usize, device: &Device) -> Batch {
        let batching =
            Batching { backbone: KIND, size: [64, 64], support_size: [64, 64], normalisation: Default::default() };
        let drawn = Drawn { shots, ..Drawn::new([64, 64]) };
        let episodes = numbers.map(|number| {
            let episode = drawn.draw(number, &mut stream(0, number)).unwrap();
            (Role::Learning, episode)
        });
        batching.prepare(episodes.collect()).on(device)
    }

    /// The largest difference, relative to the largest of the expected.
    fn difference(found: &[f32], expected: &[f32]) -> f32 {
        assert_eq!(found.len(), expected.len());
        let largest = |values: &mut dyn Iterator<Item = f32>| values.fold(0.0, f32::max);
        largest(&mut found.iter().zip(expected).map(|(a, b)| (a - b).abs()))
            / largest(&mut expected.iter().map(|b| b.abs()))
    }

    /// How a step of plain gradient descent at rate 1 moves the learner.
    fn movement(trainee: &Trainee, gradients: GradientsParams) -> Vec<f32> {
        let before = numbers(&trainee.model);
        let after = trainee.clone().optimize(&mut SgdConfig::new().init(), 1.0.into(), gradients);
        numbers(&after.model).iter().zip(&before).map(|(after, before)| after - before).collect()
    }

    fn trainee() -> Trainee {
        let device = Device::flex();
        device.seed(0);
        Trainee::new(Hsnet::init(KIND, Design::default(), &device), false, 0.25)
    }

    #[test]
    fn parts_of_a_batch_add_up_to_its_gradient() {
        let device = Device::flex().autodiff();
        let whole = trainee();
        let expected = movement(&whole, TrainStep::step(&whole, batch(0..4, 1, &device)).grads);
        let parted = whole.sharing(0.5);
        let mut accumulator = GradientsAccumulator::new();
        for part in [0..2, 2..4] {
            accumulator.accumulate(&parted, TrainStep::step(&parted, batch(part, 1, &device)).grads);
        }
        let found = movement(&parted, accumulator.grads());
        assert!(difference(&found, &expected) < 1e-4, "{}", difference(&found, &expected));
    }

    #[test]
    fn what_is_computed_again_gives_the_same_gradient() {
        let device = Device::flex().autodiff();
        let kept = trainee();
        let expected = movement(&kept, TrainStep::step(&kept, batch(0..1, 1, &device)).grads);
        let sparing = device.gradient_checkpointing();
        let again = kept.sparing();
        let found = movement(&again, TrainStep::step(&again, batch(0..1, 1, &sparing)).grads);
        assert!(difference(&found, &expected) < 1e-5, "{}", difference(&found, &expected));
    }

    #[test]
    fn the_loss_of_several_shots_is_that_of_their_mean_logits() {
        let device = Device::flex();
        let network = Hsnet::init(KIND, Design::default(), &device);
        let both = Found::by(&network, batch(3..4, 2, &device), Loss::CrossEntropy);
        let target = batch(3..4, 2, &device).target;
        let [first, second] = [0, 1].map(|shot: usize| {
            let mut alone = batch(3..4, 2, &device);
            alone.shots = vec![alone.shots.swap_remove(shot)];
            Found::by(&network, alone, Loss::CrossEntropy).margins.remove(0)
        });
        let values = |margin: &Tensor<4>| margin.clone().try_into_vec_as::<f32>().unwrap();
        assert_ne!(values(&first), values(&second));
        for (found, alone) in both.margins.iter().zip([&first, &second]) {
            assert!(difference(&values(found), &values(alone)) < 1e-4);
        }
        let expected = cross_entropy((first + second) / 2.0, target).into_data();
        both.loss.into_data().assert_approx_eq::<f32>(&expected, Tolerance::rel_abs(1e-4, 1e-4));
    }

    #[test]
    fn the_learner_moves_the_backbone_stays_and_the_average_follows() {
        let before = trainee();
        let start = numbers(&before.model);
        assert_eq!(start, numbers(&before.average));
        let gradients = TrainStep::step(&before, batch(0..1, 1, &Device::flex().autodiff())).grads;
        let after = before.optimize(&mut SgdConfig::new().init(), 0.1.into(), gradients);

        let backbone = after.model.backbone.num_params();
        let (moved, average) = (numbers(&after.model), numbers(&after.average));
        assert_eq!(moved[..backbone], start[..backbone]);
        assert_ne!(moved[backbone..], start[backbone..]);
        for ((start, moved), average) in start.iter().zip(&moved).zip(&average) {
            assert!((average - (start + 0.25 * (moved - start))).abs() <= 1e-6);
        }
    }
}
