//! The 4D layers of the learner one after another, with the planes that each works on.

use super::kernel::Form;
use super::learner::{MIXING, squeezing};
use crate::backbone::BackboneKind;

/// One layer at one input size.
#[derive(Clone, Copy, Debug)]
pub struct Planned {
    /// Which block it belongs to, as the weight file names it.
    pub block: &'static str,
    pub form: Form,
    /// Height and width of the query's plane.
    pub query: [usize; 2],
    /// Height and width of the support's plane, before the layer and after.
    pub support: [usize; 2],
    pub strided: [usize; 2],
}

/// The layers over `backbone` at an input of `[height, width]`, in the order of their blocks.
pub fn plan(backbone: BackboneKind, size: [usize; 2]) -> Vec<Planned> {
    let planes = backbone.planes(size);
    let mut layers = Vec::new();
    let mut add = |block, forms: [Form; 3], query, support: [usize; 2]| {
        forms.into_iter().fold(support, |support, form| {
            let strided = support.map(|side| side.div_ceil(form.stride));
            layers.push(Planned { block, form, query, support, strided });
            strided
        })
    };
    let [squeeze2, squeeze3, squeeze4] = squeezing(backbone.layers());
    let squeezed2 = add("squeeze2", squeeze2, planes[0], planes[0]);
    let squeezed3 = add("squeeze3", squeeze3, planes[1], planes[1]);
    add("squeeze4", squeeze4, planes[2], planes[2]);
    add("mix4to3", MIXING, planes[1], squeezed3);
    add("mix3to2", MIXING, planes[0], squeezed2);
    layers
}
