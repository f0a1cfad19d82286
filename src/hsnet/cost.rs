//! What the learner costs, counted from its shapes (HSNet, table 4).

use super::kernel::{Form, Kernel};
use super::learner::{DECODED, DECODING};
use super::plan::{Planned, plan};
use crate::backbone::BackboneKind;

/// The cost of one pass through the learner, for one query and one support.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Multiplications, each with its addition, of all convolutions. The paper's FLOPs are these or little more: over
    /// ResNet-101 at 400 pixels it says 20.6 G for the center-pivot kernel and 28.4 for the separable one, where these
    /// are 18.1 and 28.6; what else it counts, it does not say.
    pub multiply_adds: u64,
    /// The same with each stride taken only after the convolution, as the paper's figure for the full kernel seems to
    /// count: 702 G where this is 699.
    pub dense_multiply_adds: u64,
}

impl Cost {
    /// Of the learner over `backbone`, at an input of `[height, width]`.
    pub fn of(backbone: BackboneKind, kernel: Kernel, size: [usize; 2]) -> Self {
        let mut cost = Self { multiply_adds: 0, dense_multiply_adds: 0 };
        for Planned { form, query, support, strided, .. } in plan(backbone, size) {
            cost.multiply_adds += multiply_adds(kernel, &form, area(query) * area(strided));
            cost.dense_multiply_adds += multiply_adds(kernel, &form, area(query) * area(support));
        }
        let [height, width] = backbone.planes(size)[0];
        for ([input, output], finer) in DECODING.into_iter().zip(DECODED) {
            let decoder = (input * output * 9 * finer * height * finer * width) as u64;
            cost.multiply_adds += decoder;
            cost.dense_multiply_adds += decoder;
        }
        cost
    }
}

/// Of one layer, at so many positions of its result. The two convolutions of a center-pivot or separable pair are all
/// worked out at the strided positions.
fn multiply_adds(kernel: Kernel, &Form { input, output, kernel: side, .. }: &Form, positions: usize) -> u64 {
    let plane = side * side;
    let at_each = match kernel {
        Kernel::CenterPivot => 2 * input * output * plane,
        Kernel::Separable => 4 * input * input * plane + if input == output { 0 } else { input * output },
        Kernel::Full => input * output * plane * plane,
    };
    (at_each * positions) as u64
}

fn area([height, width]: [usize; 2]) -> usize {
    height * width
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_costs_are_about_those_of_the_papers_table() {
        let [center_pivot, separable, full] =
            Kernel::ALL.map(|kernel| Cost::of(BackboneKind::Resnet101, kernel, [400, 400]));
        let giga = |count: u64| (count as f64 / 1e7).round() / 100.0;
        assert_eq!(giga(center_pivot.multiply_adds), 18.14);
        assert_eq!(giga(separable.multiply_adds), 28.63);
        assert_eq!(giga(full.multiply_adds), 110.07);
        assert_eq!(giga(full.dense_multiply_adds), 699.25);
    }
}
