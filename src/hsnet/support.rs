//! A support, from marked pictures to what a query needs of them.

use burn::Tensor;

use super::{Hsnet, Marked, Masking};
use crate::backbone::{Pyramid, Taps};
use crate::ops::Keep;

/// Of a feature plane's positions, those whose share of the object is smaller count as outside.
const INSIDE: f64 = 0.5;

/// What a network keeps of supports.
#[derive(Clone, Debug)]
pub struct Support {
    /// The features that the query's are correlated with.
    pub object: Pyramid,
    /// The features of the object alone and of the background alone, for a guided network.
    pub sides: Option<[Pyramid; 2]>,
}

impl Support {
    /// The pyramids under their names, in one order.
    pub fn pyramids(&self) -> Vec<(&'static str, &Pyramid)> {
        let sides = self.sides.iter().flat_map(|[inside, outside]| [("inside", inside), ("outside", outside)]);
        std::iter::once(("object", &self.object)).chain(sides).collect()
    }

    /// The support of a network, guided or not, from its pyramids by the names of [`Self::pyramids`].
    ///
    /// # Errors
    /// The first that `pyramid` gives.
    pub fn from_pyramids<E>(
        guided: bool,
        mut pyramid: impl FnMut(&'static str) -> Result<Pyramid, E>,
    ) -> Result<Self, E> {
        let object = pyramid("object")?;
        let sides = if guided { Some([pyramid("inside")?, pyramid("outside")?]) } else { None };
        Ok(Self { object, sides })
    }
}

impl Hsnet {
    /// The features of supports, masked as the network was designed. What is unsure is left out of the object as the
    /// background is, and left out of the background too.
    pub fn support(&self, marked: Marked) -> Support {
        match self.keep(&marked.pictures.device()) {
            Keep::Single => self.single_support(marked),
            Keep::Half => Support { object: self.half_object(marked), sides: None },
        }
    }

    /// The object's features in half precision. As the paper masks them, they are there in no other way even for a moment.
    fn half_object(&self, marked: Marked) -> Pyramid {
        match self.design.masking {
            Masking::None => self.features(marked.pictures),
            Masking::Features => {
                self.backbone.features(marked.pictures, Taps::new(self.kind, Keep::Half).masked(marked.planes))
            }
            Masking::Hybrid => self.single_support(marked).object.halved(),
        }
    }

    fn single_support(&self, marked: Marked) -> Support {
        let Marked { pictures, mask, planes, unsure } = marked;
        let outside = beyond(planes.clone());
        let background = match unsure {
            None => outside.clone(),
            Some(unsure) => beyond(sum(planes.clone(), unsure)),
        };
        let features = self.features_kept(pictures.clone(), Keep::Single);
        let inside = features.clone().masked(planes);
        let object = match self.design.masking {
            Masking::Features => inside.clone(),
            Masking::Hybrid => {
                let blanked = self.features_kept(pictures * mask, Keep::Single).masked(outside.clone());
                features.clone().masked(outside.map(|plane| 1.0 - plane)).plus(blanked)
            }
            Masking::None => features.clone(),
        };
        let sides = self.design.guided.then(|| [inside, features.masked(background)]);
        Support { object, sides }
    }
}

/// 1 where too small a share of a position is covered, 0 elsewhere.
fn beyond(covered: [Tensor<4>; 3]) -> [Tensor<4>; 3] {
    covered.map(|plane| plane.lower_elem(INSIDE).float())
}

fn sum(a: [Tensor<4>; 3], b: [Tensor<4>; 3]) -> [Tensor<4>; 3] {
    let ([a2, a3, a4], [b2, b3, b4]) = (a, b);
    [a2 + b2, a3 + b3, a4 + b4]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backbone::BackboneKind;
    use crate::hsnet::{Design, Masks};
    use crate::image::Mask;
    use burn::tensor::{Device, Distribution};

    const KIND: BackboneKind = BackboneKind::MobilenetV2;
    const SIDE: usize = 64;

    /// The columns from one eighth of the width to another.
    fn eighths(from: usize, to: usize) -> Mask {
        let columns = from * SIDE / 8..to * SIDE / 8;
        let values = (0..SIDE * SIDE).map(|index| u8::from(columns.contains(&(index % SIDE)))).collect();
        Mask { width: SIDE, height: SIDE, values }
    }

    fn values(tensor: &Tensor<4>) -> Vec<f32> {
        tensor.clone().into_data().iter().collect()
    }

    /// Every channel of features times the plane that `share` makes of the object's and the unsure share of a position.
    fn times(features: &Tensor<4>, masks: [&Mask; 2], share: impl Fn(f32, f32) -> f32) -> Vec<f32> {
        let [_, _, height, width] = features.dims();
        let [object, unsure] = masks.map(|mask| mask.soften(height, width));
        let plane: Vec<f32> = object.iter().zip(&unsure).map(|(&object, &unsure)| share(object, unsure)).collect();
        values(features).iter().zip(plane.iter().cycle()).map(|(value, share)| value * share).collect()
    }

    #[test]
    fn what_is_unsure_is_in_neither_object_nor_background() {
        let (object, unsure) = (eighths(0, 3), eighths(3, 6));
        let pictures = Tensor::random([1, 3, SIDE, SIDE], Distribution::Normal(0.0, 1.0), &Device::flex());
        for masking in [Masking::Features, Masking::Hybrid] {
            let design = Design { masking, guided: true, ..Design::default() };
            let network = Hsnet::init(KIND, design, &Device::flex());
            let masks = || Masks::new(&[&object], KIND);
            let plain = network.support(masks().beside(pictures.clone()));
            let marked = masks().unsure(&[&unsure], KIND).beside(pictures.clone());
            let features = network.features(pictures.clone());
            let support = network.support(marked);
            let [inside, outside] = support.sides.clone().unwrap();
            for (level, features) in features.levels.iter().enumerate() {
                let masks = [&object, &unsure];
                assert!(values(&inside.levels[level]) == times(features, masks, |object, _| object));
                let background = |object: f32, unsure: f32| f32::from(object + unsure < 0.5);
                assert!(values(&outside.levels[level]) == times(features, masks, background));
                // Of the object it changes nothing: an unsure pixel never was in the mask.
                assert!(values(&support.object.levels[level]) == values(&plain.object.levels[level]));
            }
            let background = |support: &Support| values(&support.sides.as_ref().unwrap()[1].levels[0]);
            assert!(background(&support) != background(&plain));
        }
    }
}
