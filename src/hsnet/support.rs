//! A support, from marked pictures to what a query needs of them.

use burn::Tensor;
use burn::tensor::{Device, TensorData};

use super::{Hsnet, Masking};
use crate::backbone::{BackboneKind, Pyramid};
use crate::image::Mask;

/// Of a feature plane's positions, those whose share of the object is smaller count as outside.
const INSIDE: f64 = 0.5;

/// Pictures with the object marked, one a sample.
#[derive(Clone, Debug)]
pub struct Marked {
    /// `(batch, 3, h, w)`, normalised.
    pub pictures: Tensor<4>,
    /// 1 on the object and 0 elsewhere, `(batch, 1, h, w)`.
    pub mask: Tensor<4>,
    /// The mask softened to the planes of levels 2, 3 and 4, `(batch, 1, h, w)` each.
    pub planes: [Tensor<4>; 3],
}

impl Marked {
    /// The masks beside their pictures `(batch, 3, h, w)`, which have the masks' size.
    pub fn new(pictures: Tensor<4>, masks: &[&Mask], kind: BackboneKind) -> Self {
        let [_, _, height, width] = pictures.dims();
        let device = pictures.device();
        let values = masks.iter().flat_map(|mask| mask.values.iter().map(|&value| f32::from(value))).collect();
        Self {
            mask: plane(values, [masks.len(), 1, height, width], &device),
            planes: kind.planes([height, width]).map(|[height, width]| {
                let soft = masks.iter().flat_map(|mask| mask.soften(height, width)).collect();
                plane(soft, [masks.len(), 1, height, width], &device)
            }),
            pictures,
        }
    }
}

fn plane(values: Vec<f32>, shape: [usize; 4], device: &Device) -> Tensor<4> {
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// What a network keeps of supports.
#[derive(Clone, Debug)]
pub struct Support {
    /// The features that the query's are correlated with.
    pub object: Pyramid,
    /// The features of the object alone and of the background alone, for a guided network.
    pub sides: Option<[Pyramid; 2]>,
}

impl Hsnet {
    /// The features of supports, masked as the network was designed.
    pub fn support(&self, marked: Marked) -> Support {
        let Marked { pictures, mask, planes } = marked;
        let outside = planes.clone().map(|plane| plane.lower_elem(INSIDE).float());
        let features = self.features(pictures.clone());
        let inside = features.clone().masked(planes);
        let object = match self.design.masking {
            Masking::Features => inside.clone(),
            Masking::Hybrid => {
                let blanked = self.features(pictures * mask).masked(outside.clone());
                features.clone().masked(outside.clone().map(|plane| 1.0 - plane)).plus(blanked)
            }
            Masking::None => features.clone(),
        };
        let sides = self.design.guided.then(|| [inside, features.masked(outside)]);
        Support { object, sides }
    }
}
