//! Episodes side by side, as a network takes them.

use burn::tensor::TensorData;

use crate::backbone::BackboneKind;
use crate::episode::{Episode, Shot};
use crate::hsnet::{Masks, pixels};
use crate::image::Mask;
use crate::weights::Header;

/// Episodes of the same number of shots, in ordinary memory, so that any thread may prepare them.
pub struct Batch {
    pub(super) episodes: usize,
    /// The pictures in which to find the object, `(batch, 3, h, w)`, normalised.
    pub(super) queries: TensorData,
    /// First the first supports of all episodes, then the second ones, and so on.
    pub(super) shots: Vec<Supports>,
}

/// One support of each episode.
pub(super) struct Supports {
    /// `(batch, 3, h, w)`, normalised.
    pub pictures: TensorData,
    /// Where the object is.
    pub masks: Masks,
}

impl Batch {
    /// Lays episodes side by side, of the sizes and with the normalisation that a weight file asks for, their masks
    /// softened for the backbone.
    pub fn of(episodes: &[Episode], header: &Header, kind: BackboneKind) -> Self {
        let shots = episodes.iter().map(|episode| episode.supports.len()).min().unwrap_or_default();
        let supports = |shot: usize| {
            let size @ [height, width] = header.support_size();
            let shots: Vec<Shot> =
                episodes.iter().map(|episode| episode.supports[shot].resize(height, width)).collect();
            let masks: Vec<&Mask> = shots.iter().map(|shot| &shot.mask).collect();
            Supports {
                pictures: pixels(shots.iter().map(|shot| &shot.picture), size, &header.normalisation),
                masks: Masks::new(&masks, kind),
            }
        };
        let [height, width] = header.size;
        let queries = episodes.iter().map(|episode| episode.query.picture.resize(height, width));
        Self {
            episodes: episodes.len(),
            queries: pixels(queries, header.size, &header.normalisation),
            shots: (0..shots).map(supports).collect(),
        }
    }
}
