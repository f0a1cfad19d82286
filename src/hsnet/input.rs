//! Pictures and masks as a network takes them. What is in ordinary memory any thread may prepare.

use std::borrow::Borrow;

use burn::Tensor;
use burn::tensor::TensorData;

use crate::backbone::BackboneKind;
use crate::image::{Mask, Normalisation, Picture};

/// Pictures of `[height, width]` side by side, normalised: `(batch, 3, h, w)`.
pub fn pixels<P: Borrow<Picture>>(
    pictures: impl ExactSizeIterator<Item = P>,
    [height, width]: [usize; 2],
    normalisation: &Normalisation,
) -> TensorData {
    let shape = [pictures.len(), 3, height, width];
    let values = pictures.flat_map(|picture| picture.borrow().normalise(normalisation));
    TensorData::new(values.collect::<Vec<f32>>(), shape)
}

/// Masks of one size side by side, 1 on the object and 0 elsewhere: `(batch, 1, h, w)`.
pub fn whole(masks: &[&Mask]) -> TensorData {
    plane(size(masks), masks.iter().map(|mask| mask.values.iter().map(|&value| f32::from(value)).collect()))
}

/// Masks of one size, whole and softened.
pub struct Masks {
    whole: TensorData,
    planes: [TensorData; 3],
    unsure: Option<[TensorData; 3]>,
}

impl Masks {
    pub fn new(masks: &[&Mask], kind: BackboneKind) -> Self {
        Self { whole: whole(masks), planes: soften(masks, kind), unsure: None }
    }

    /// The same where some pixels are neither known to be the object nor known not to be: masks of the same size.
    pub fn unsure(self, unsure: &[&Mask], kind: BackboneKind) -> Self {
        Self { unsure: Some(soften(unsure, kind)), ..self }
    }

    /// The masks with the pictures `(batch, 3, h, w)` that they mark, on the pictures' device.
    pub fn beside(self, pictures: Tensor<4>) -> Marked {
        let device = pictures.device();
        let tensor = |data| Tensor::from_data(data, &device);
        let unsure = self.unsure.map(|planes| planes.map(tensor));
        Marked { mask: tensor(self.whole), planes: self.planes.map(tensor), unsure, pictures }
    }
}

/// Pictures with the object marked, one a sample.
#[derive(Clone, Debug)]
pub struct Marked {
    /// `(batch, 3, h, w)`, normalised.
    pub pictures: Tensor<4>,
    /// 1 on the object and 0 elsewhere, `(batch, 1, h, w)`.
    pub mask: Tensor<4>,
    /// The mask softened to the planes of levels 2, 3 and 4, `(batch, 1, h, w)` each.
    pub planes: [Tensor<4>; 3],
    /// What is neither object nor background, softened likewise; where there is nothing of the kind, nothing.
    pub unsure: Option<[Tensor<4>; 3]>,
}

impl Marked {
    /// The masks beside their pictures `(batch, 3, h, w)`, which have the masks' size.
    pub fn new(pictures: Tensor<4>, masks: &[&Mask], kind: BackboneKind) -> Self {
        Masks::new(masks, kind).beside(pictures)
    }
}

fn size(masks: &[&Mask]) -> [usize; 2] {
    masks.first().map_or([0, 0], |mask| [mask.height, mask.width])
}

/// Masks softened to the planes of levels 2, 3 and 4.
fn soften(masks: &[&Mask], kind: BackboneKind) -> [TensorData; 3] {
    let soften = |size: [usize; 2]| plane(size, masks.iter().map(|mask| mask.soften(size[0], size[1])));
    kind.planes(size(masks)).map(soften)
}

fn plane([height, width]: [usize; 2], planes: impl ExactSizeIterator<Item = Vec<f32>>) -> TensorData {
    let shape = [planes.len(), 1, height, width];
    TensorData::new(planes.flatten().collect::<Vec<f32>>(), shape)
}
