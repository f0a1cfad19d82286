//! A frozen backbone works beside the graph of gradients: under autodiff burn composes some operations of several, ReLU6
//! among them, which a plain device does at once.

use burn::Tensor;
use burn::module::{Module, ModuleVisitor, Param};

use crate::backbone::{Backbone, Pyramid, Taps};

/// The features of pictures that are under autodiff, from a backbone that takes no gradient; none in other cases.
pub fn features(backbone: &Backbone, pictures: &Tensor<4>, taps: impl FnOnce() -> Taps) -> Option<Pyramid> {
    let strategy = pictures.gradient_checkpointing_strategy().filter(|_| is_frozen(backbone))?;
    let Pyramid { levels } = backbone.valid().features(pictures.clone().without_autodiff(), taps());
    let on_graph = |level: Tensor<4>| level.autodiff().with_gradient_checkpointing_strategy(strategy);
    Some(Pyramid { levels: levels.map(on_graph) })
}

fn is_frozen(backbone: &Backbone) -> bool {
    struct Trained(bool);
    impl ModuleVisitor for Trained {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0 |= param.is_require_grad();
        }
    }
    let mut trained = Trained(false);
    backbone.visit(&mut trained);
    !trained.0
}
