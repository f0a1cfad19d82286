//! Episodes that every validation asks again.

use std::sync::Arc;

use crate::data::{Collection, DataError, Draw, Mixture, Source, stream};
use crate::episode::Episode;

/// A fixed row of episodes, of which only the places are kept: pictures come from the collections' cache, or from disk.
#[derive(Clone, Default)]
pub struct Exam(Vec<Asked>);

/// An episode that can be had again.
#[derive(Clone)]
enum Asked {
    /// Of a data set.
    Of(Arc<Collection>, Draw),
    /// Drawn from the training material under a seed and a number.
    Drawn(Arc<Mixture>, u64, u64),
}

impl Exam {
    /// Takes episodes of a data set.
    pub fn ask(&mut self, collection: &Arc<Collection>, draws: impl IntoIterator<Item = Draw>) {
        self.0.extend(draws.into_iter().map(|draw| Asked::Of(collection.clone(), draw)));
    }

    /// Takes draws of the training material, by their numbers.
    pub fn draw(&mut self, source: &Arc<Mixture>, seed: u64, numbers: impl IntoIterator<Item = u64>) {
        self.0.extend(numbers.into_iter().map(|number| Asked::Drawn(source.clone(), seed, number)));
    }

    /// How many episodes there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is nothing to ask.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One of them, at whatever size its pictures have.
    ///
    /// # Errors
    /// When a file that was there cannot be decoded.
    pub fn episode(&self, number: usize) -> Result<Episode, DataError> {
        match &self.0[number] {
            Asked::Of(collection, draw) => collection.play(draw),
            Asked::Drawn(source, seed, number) => source.draw(*number, &mut stream(*seed, *number)),
        }
    }

    /// The draws, for tests of who is asked.
    #[cfg(test)]
    pub fn draws(&self) -> Vec<&Draw> {
        let draws = self.0.iter().filter_map(|asked| match asked {
            Asked::Of(_, draw) => Some(draw),
            Asked::Drawn(..) => None,
        });
        draws.collect()
    }
}
