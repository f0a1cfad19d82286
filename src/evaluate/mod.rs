//! What weights are worth: episodes of classes that they have not seen, counted as HSNet was published.
//!
//! Threads decode pictures ahead of the device, a batch of episodes goes through the network side by side, and of each
//! episode only its count is kept: thousands of them need no more memory than a few.

mod batch;
mod exhibit;
mod figures;
mod report;
mod table;

use std::sync::Arc;

use burn::Tensor;
use burn::tensor::Device;
use rayon::prelude::*;
use serde::Serialize;

use crate::ahead::{Ahead, Lost};
use crate::data::{Collection, DataError, Draw, Protocol};
use crate::episode::Episode;
use crate::hsnet::Hsnet;
use crate::image::Mask;
use crate::metric::Overlap;
use crate::predict::{self, Logits};
use crate::readback::NotReturned;
use crate::weights::Header;

pub use batch::Batch;
pub use exhibit::{Exhibit, Showcase};
pub use figures::{ClassScore, EpisodeScore, Evaluation, Figures, Fold, FoldScore};
pub use report::report;

/// Which episodes are asked, and how they are counted.
#[derive(Clone, Debug, Serialize)]
pub struct Options {
    pub protocol: Protocol,
    /// Supports an episode.
    pub shots: usize,
    /// How many episodes; by default as many as the protocol has.
    pub episodes: Option<usize>,
    pub seed: u64,
    /// Whether masks are predicted and counted at each query's own size, and not at the network's.
    pub original_size: bool,
    /// Episodes that go through the network side by side.
    pub batch: usize,
    /// Threads that prepare them.
    pub workers: usize,
}

/// Why there is no figure.
#[derive(Debug, thiserror::Error)]
pub enum EvaluateError {
    #[error(transparent)]
    Data(#[from] DataError),
    #[error("preparing a batch failed: the messages above say how")]
    Preparation,
    #[error("{0}")]
    Device(#[from] NotReturned),
    #[error("a picture of the report could not be written ({0})")]
    Picture(::image::ImageError),
}

/// A network to be evaluated, on its device; its header says what pictures it takes and its threshold.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub header: Header,
    pub network: Hsnet,
    pub device: Device,
}

impl Candidate {
    /// What each shot says of each episode's query, by episode. The queries' features are computed once for all shots.
    ///
    /// # Errors
    /// If the device fails to give its results back.
    pub fn logits(&self, batch: Batch) -> Result<Vec<Vec<Logits>>, EvaluateError> {
        let query = self.network.features(Tensor::from_data(batch.queries, &self.device));
        let mut episodes = vec![Vec::new(); batch.episodes];
        for shot in batch.shots {
            let pictures = Tensor::from_data(shot.pictures, &self.device);
            let support = self.network.support(shot.masks.beside(pictures));
            let found = pollster::block_on(Logits::of(self.network.logits(&query, &support)))?;
            episodes.iter_mut().zip(found).for_each(|(shots, logits)| shots.push(logits));
        }
        Ok(episodes)
    }

    fn mask(&self, shots: &[Logits], height: usize, width: usize) -> Mask {
        predict::mask(shots, height, width, self.header.threshold)
    }
}

/// Asks a candidate the episodes of a collection; `progress` is told after each batch how many of how many are done.
///
/// # Errors
/// When a picture cannot be decoded, no episode can be made of the collection, or the device fails.
pub fn evaluate(
    candidate: &Candidate,
    collection: &Collection,
    options: &Options,
    mut progress: impl FnMut(usize, usize),
) -> Result<FoldScore, EvaluateError> {
    let draws = collection.draws(options.protocol, options.shots, options.episodes, options.seed)?;
    let mut overlaps = Vec::with_capacity(draws.len());
    for prepared in prepared(candidate, collection, &draws, options) {
        let Prepared { batch, answers } = prepared.map_err(|Lost| EvaluateError::Preparation)??;
        let episodes: Vec<_> = candidate.logits(batch)?.into_iter().zip(answers).collect();
        overlaps.par_extend(episodes.par_iter().map(|(shots, answer)| {
            let found = candidate.mask(shots, answer.mask.height, answer.mask.width);
            Overlap::count(found.values.iter().map(|&value| value != 0), &answer.mask, answer.ignore.as_ref())
        }));
        progress(overlaps.len(), draws.len());
    }
    Ok(FoldScore::new(collection, options, draws, overlaps))
}

/// A batch, and what should be found in it.
struct Prepared {
    batch: Batch,
    answers: Vec<Answer>,
}

/// Where the object is in a query, at the size that it is counted at.
struct Answer {
    mask: Mask,
    ignore: Option<Mask>,
}

impl Answer {
    /// At its own size, or resized to `size`.
    fn of(episode: Episode, size: Option<[usize; 2]>) -> Self {
        let fit = |mask: Mask| match size {
            Some([height, width]) => mask.resize(height, width),
            None => mask,
        };
        Self { mask: fit(episode.query.mask), ignore: episode.ignore.map(fit) }
    }
}

/// Decodes and resizes the episodes in batches, ahead.
fn prepared(
    candidate: &Candidate,
    collection: &Collection,
    draws: &[Draw],
    options: &Options,
) -> Ahead<Result<Prepared, DataError>> {
    let (header, kind, collection) = (candidate.header.clone(), candidate.network.kind(), collection.clone());
    let counted = (!options.original_size).then_some(header.size);
    let batches: Arc<[Vec<Draw>]> = draws.chunks(options.batch.max(1)).map(<[Draw]>::to_vec).collect();
    Ahead::new(batches.len(), options.workers, move |number| {
        let episodes = batches[number].iter().map(|draw| collection.play(draw));
        let episodes = episodes.collect::<Result<Vec<_>, _>>()?;
        let batch = Batch::of(&episodes, &header, kind);
        Ok(Prepared { batch, answers: episodes.into_iter().map(|episode| Answer::of(episode, counted)).collect() })
    })
}
