//! Where training episodes come from, and a mixture of such places.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::DataError;
use crate::episode::Episode;

/// The generator behind every draw: fast, and the same on every machine.
pub type Rng = ChaCha8Rng;

/// The generator of draw number `index` under `seed`. Draws are independent of one another and of
/// who makes them, so any number of workers give the same episodes.
pub fn stream(seed: u64, index: u64) -> Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(index);
    rng
}

/// Something that episodes can be drawn from without end.
pub trait Source: Send + Sync {
    /// One episode; the same turn and generator give the same. `turn` counts the draws from this source: one that goes
    /// through its pictures one after another goes by it.
    ///
    /// # Errors
    /// When a file that was there cannot be decoded.
    fn draw(&self, turn: u64, rng: &mut Rng) -> Result<Episode, DataError>;
}

/// Several sources that alternate, each drawn from as often as its weight says. Each has turns of its own, without gaps.
#[derive(Default)]
pub struct Mixture {
    sources: Vec<(f64, Box<dyn Source>)>,
}

impl Mixture {
    /// Adds a source. Weights are relative to one another; one that is not above 0 is never drawn.
    pub fn add(&mut self, weight: f64, source: impl Source + 'static) {
        self.sources.push((weight.max(0.0), Box::new(source)));
    }

    /// The source of a turn, and the source's own turn: the first has its share of all turns, the next its share of
    /// those that are left, and so on.
    fn choose(&self, mut turn: u64) -> Option<(&dyn Source, u64)> {
        for (place, (weight, source)) in self.sources.iter().enumerate() {
            let left: f64 = self.sources[place..].iter().map(|(weight, _)| weight).sum();
            let share = if *weight > 0.0 { weight / left } else { 0.0 };
            let own = part(share, turn);
            if part(share, turn + 1) > own {
                return Some((source.as_ref(), own));
            }
            turn -= own;
        }
        None
    }
}

/// How many of the first `turns` a share of them, 0..=1, makes. In fixed point: it grows by at most one from turn to
/// turn, however many there are.
fn part(share: f64, turns: u64) -> u64 {
    const BITS: u32 = 32;
    let share = (share * (1_u64 << BITS) as f64).round() as u128;
    ((u128::from(turns) * share + (1 << (BITS - 1))) >> BITS) as u64
}

impl Source for Mixture {
    fn draw(&self, turn: u64, rng: &mut Rng) -> Result<Episode, DataError> {
        let (source, turn) = self.choose(turn).ok_or(DataError::Empty)?;
        source.draw(turn, rng)
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng as _;

    use super::*;
    use crate::{
        episode::Shot,
        image::{Mask, Picture},
    };

    /// Draws episodes of one class.
    struct Only(usize);

    impl Source for Only {
        fn draw(&self, _: u64, _: &mut Rng) -> Result<Episode, DataError> {
            Ok(episode(self.0))
        }
    }

    /// Draws its turns, as classes from a first one on.
    struct Turns(usize);

    impl Source for Turns {
        fn draw(&self, turn: u64, _: &mut Rng) -> Result<Episode, DataError> {
            Ok(episode(self.0 + turn as usize))
        }
    }

    fn episode(class: usize) -> Episode {
        let picture = Picture { width: 1, height: 1, rgb: vec![0; 3] };
        let mask = Mask { width: 1, height: 1, values: vec![0] };
        Episode { class, supports: vec![], query: Shot { picture, mask, unsure: None }, ignore: None }
    }

    #[test]
    fn every_source_has_turns_of_its_own() {
        let mut mixture = Mixture::default();
        mixture.add(3.0, Turns(0));
        mixture.add(0.0, Turns(10_000));
        mixture.add(2.0, Turns(20_000));
        mixture.add(1.0, Turns(30_000));
        let mut drawn: Vec<usize> =
            (0..600).map(|turn| mixture.draw(turn, &mut stream(7, turn)).unwrap().class).collect();
        drawn.sort_unstable();
        assert!(drawn.into_iter().eq((0..300).chain(20_000..20_200).chain(30_000..30_100)));
    }

    #[test]
    fn weights_are_shares() {
        let mut mixture = Mixture::default();
        mixture.add(3.0, Only(0));
        mixture.add(0.0, Only(1));
        mixture.add(1.0, Only(2));
        let mut drawn = [0; 3];
        for index in 0..4000 {
            drawn[mixture.draw(index, &mut stream(7, index)).unwrap().class] += 1;
        }
        assert_eq!(drawn[1], 0);
        assert!((2850..3150).contains(&drawn[0]), "{drawn:?}");
    }

    #[test]
    fn nothing_to_draw_from_is_an_error() {
        let drawn = Mixture::default().draw(0, &mut stream(0, 0));
        assert!(matches!(drawn, Err(DataError::Empty)));
    }

    #[test]
    fn a_draw_does_not_depend_on_those_before() {
        let mut mixture = Mixture::default();
        mixture.add(1.0, Only(0));
        mixture.add(1.0, Only(1));
        let class = |index| mixture.draw(index, &mut stream(1, index)).unwrap().class;
        let forwards: Vec<_> = (0..20).map(class).collect();
        let backwards: Vec<_> = (0..20).rev().map(class).collect();
        assert!(forwards.iter().eq(backwards.iter().rev()));
        assert_ne!(stream(1, 6).random::<u64>(), stream(1, 5).random::<u64>());
    }
}
