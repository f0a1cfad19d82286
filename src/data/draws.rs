//! Which episodes a test asks: for every one a class, supports and a query, before any picture is decoded.

use rand::Rng as _;
use rand::seq::IndexedRandom as _;

use super::{Collection, DataError, stream};
use crate::episode::Episode;

/// How the episodes of a test are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Protocol {
    /// Classes in turn, pictures at random, supports unlike each other.
    Fewseg,
    /// As HSNet's published test goes through its lists.
    Hsnet,
}

/// An episode before its pictures are decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draw {
    /// The class, by its place in the collection.
    pub class: usize,
    /// The pictures that are shown, by their place in the class.
    pub supports: Vec<usize>,
    /// The picture that is asked, likewise.
    pub query: usize,
}

impl Collection {
    /// The episodes of a test.
    pub fn draws(
        &self,
        protocol: Protocol,
        shots: usize,
        episodes: Option<usize>,
        seed: u64,
    ) -> Result<Vec<Draw>, DataError> {
        let entries: Vec<(usize, usize)> = self
            .classes
            .iter()
            .enumerate()
            .filter(|(_, class)| class.len() > 1)
            .flat_map(|(number, class)| (0..class.len()).map(move |member| (number, member)))
            .collect();
        if entries.is_empty() {
            return Err(DataError::Empty);
        }
        let draw = |index: usize| {
            let mut rng = stream(seed, index as u64);
            let (class, query) = match protocol {
                Protocol::Hsnet => entries[index % entries.len()],
                Protocol::Fewseg => entries[rng.random_range(0..entries.len())],
            };
            let others: Vec<usize> = (0..self.classes[class].len()).filter(|&other| other != query).collect();
            let supports = (0..shots).filter_map(|_| others.choose(&mut rng).copied()).collect();
            Draw { class, supports, query }
        };
        Ok((0..episodes.unwrap_or(1000)).map(draw).collect())
    }

    /// The episode of a draw, decoded.
    pub fn play(&self, draw: &Draw) -> Result<Episode, DataError> {
        self.episode(&self.classes[draw.class], &draw.supports, draw.query)
    }
}
