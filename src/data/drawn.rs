//! Episodes drawn from nothing: things of one make (shapes with textures) on varied grounds among
//! things of other makes. They need no files, no licence and no end, and teach what every episode
//! asks: find what looks like that.

mod canvas;
mod shape;
mod texture;

use rand::Rng as _;

use super::{
    DataError,
    augment::Light,
    source::{Rng, Source},
};
use crate::episode::{Episode, Shot};
use canvas::{Canvas, Pose};
use shape::Shape;
use texture::Texture;

/// Draws episodes of pictures of one size, for ever.
#[derive(Clone, Copy, Debug)]
pub struct Drawn {
    /// Height and width.
    pub size: [usize; 2],
    /// Supports an episode.
    pub shots: usize,
    /// The share of episodes, 0..=1, whose query shows nothing of the make.
    pub negative: f64,
}

/// What all things of one make have in common: one or two parts, each a shape with a texture.
struct Make {
    parts: Vec<(Shape, Texture)>,
}

impl Make {
    fn random(rng: &mut Rng) -> Self {
        let parts = if rng.random_bool(0.35) { 2 } else { 1 };
        let part = |place| (Shape::random(rng).moved(place), Texture::random(rng));
        let places = match parts {
            1 => vec![[0.0, 0.0]],
            _ => vec![[0.0, 0.35], [0.0, -0.45]],
        };
        Self { parts: places.into_iter().map(part).collect() }
    }

    /// One thing of this make, with the hue, light and size of its own.
    fn draw(&self, canvas: &mut Canvas, thing: u16, rng: &mut Rng) {
        let pose = Pose::random(rng);
        let light = Light::random(1.0, rng);
        for (shape, texture) in &self.parts {
            canvas.draw(thing, &pose, shape, |x, y| light.shine(texture.colour(x, y)));
        }
    }
}

/// The number under which the canvas keeps what the episode is about; other things get others.
const OBJECT: u16 = 1;

impl Drawn {
    /// One-shot episodes, all of which show what they ask.
    pub fn new(size: [usize; 2]) -> Self {
        Self { size, shots: 1, negative: 0.0 }
    }

    /// A scene with one or two things of the make, if there is one, among things of other makes.
    fn scene(&self, make: Option<&Make>, rng: &mut Rng) -> Shot {
        let ground = Texture::random_ground(rng);
        let mut canvas = Canvas::new(self.size, |x, y| ground.colour(x, y));
        let others = rng.random_range(1..5);
        for other in 0..others {
            Make::random(rng).draw(&mut canvas, OBJECT + 1 + other, rng);
        }
        if let Some(make) = make {
            for _ in 0..rng.random_range(1..3) {
                make.draw(&mut canvas, OBJECT, rng);
            }
        }
        if rng.random_bool(0.3) {
            Make::random(rng).draw(&mut canvas, OBJECT + 1 + others, rng);
        }
        canvas.shot(OBJECT, rng)
    }
}

impl Source for Drawn {
    fn draw(&self, _: u64, rng: &mut Rng) -> Result<Episode, DataError> {
        let make = Make::random(rng);
        let asked = (!rng.random_bool(self.negative)).then_some(&make);
        Ok(Episode {
            class: make.parts[0].0.kind(),
            supports: (0..self.shots).map(|_| self.scene(Some(&make), rng)).collect(),
            query: self.scene(asked, rng),
            ignore: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::stream;

    const DRAWN: Drawn = Drawn { size: [48, 64], shots: 1, negative: 0.0 };

    #[test]
    fn the_object_shows_in_most_episodes() {
        let shown = (0..100).filter(|&index| {
            let episode = DRAWN.draw(0, &mut stream(4, index)).unwrap();
            let area = |shot: &Shot| shot.mask.area() as f64 / (48.0 * 64.0);
            area(&episode.query) > 0.005 && area(&episode.supports[0]) > 0.005
        });
        let shown = shown.count();
        assert!(shown > 95, "in {shown} of 100");
    }

    #[test]
    fn a_draw_repeats_and_the_next_differs() {
        let draw = |index| DRAWN.draw(0, &mut stream(4, index)).unwrap();
        assert_eq!(draw(1).query, draw(1).query);
        assert_ne!(draw(1).query, draw(2).query);
        assert_ne!(draw(1).query, draw(1).supports[0]);
    }

    #[test]
    fn shots_and_the_share_without_the_object_are_as_asked() {
        let drawn = Drawn { shots: 3, negative: 0.5, ..DRAWN };
        let empty = (0..200).filter(|&index| {
            let episode = drawn.draw(0, &mut stream(4, index)).unwrap();
            assert_eq!(episode.supports.len(), 3);
            episode.query.mask.area() == 0
        });
        let empty = empty.count();
        assert!((75..125).contains(&empty), "{empty} of 200");
    }

    #[test]
    fn sizes_are_as_asked() {
        let episode = DRAWN.draw(0, &mut stream(4, 0)).unwrap();
        assert_eq!(episode.query.picture.rgb.len(), 48 * 64 * 3);
        assert_eq!([episode.query.mask.height, episode.query.mask.width], [48, 64]);
    }
}
