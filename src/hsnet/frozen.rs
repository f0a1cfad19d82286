//! A frozen backbone works beside the graph of gradients: under autodiff burn composes some operations of several, ReLU6
//! among them, which a plain device does at once.

use burn::Tensor;
use burn::module::{Module, ModuleVisitor, Param};

use crate::backbone::{Backbone, Pyramid};

/// The features of pictures that are under autodiff, from a backbone that takes no gradient; else the pictures again.
pub fn features(backbone: &Backbone, pictures: Tensor<4>) -> Result<Pyramid, Tensor<4>> {
    match pictures.gradient_checkpointing_strategy() {
        Some(strategy) if is_frozen(backbone) => {
            let Pyramid { levels } = backbone.valid().features(pictures.without_autodiff());
            let on_graph = |level: Tensor<4>| level.autodiff().with_gradient_checkpointing_strategy(strategy);
            Ok(Pyramid { levels: levels.map(on_graph) })
        }
        _ => Err(pictures),
    }
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
