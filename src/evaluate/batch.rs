//! Episodes side by side, as a network takes them.

use burn::tensor::TensorData;

use crate::episode::{Episode, Shot};
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
    /// Where the object is, at the pictures' size.
    pub masks: Vec<Mask>,
}

impl Batch {
    /// Lays episodes side by side, of the sizes and with the normalisation that a weight file asks for.
    pub fn of(episodes: &[Episode], header: &Header) -> Self {
        let shots = episodes.iter().map(|episode| episode.supports.len()).min().unwrap_or_default();
        let supports = |shot: usize| {
            let supports = || episodes.iter().map(move |episode| &episode.supports[shot]);
            let size @ [height, width] = header.support_size();
            Supports {
                pictures: pictures(supports(), size, header),
                masks: supports().map(|support| support.mask.resize(height, width)).collect(),
            }
        };
        Self {
            episodes: episodes.len(),
            queries: pictures(episodes.iter().map(|episode| &episode.query), header.size, header),
            shots: (0..shots).map(supports).collect(),
        }
    }
}

fn pictures<'a>(
    shots: impl ExactSizeIterator<Item = &'a Shot>,
    [height, width]: [usize; 2],
    header: &Header,
) -> TensorData {
    let shape = [shots.len(), 3, height, width];
    let values = shots.flat_map(|shot| shot.picture.resize(height, width).normalise(&header.normalisation));
    TensorData::new(values.collect::<Vec<f32>>(), shape)
}
