//! Training episodes from a collection: two altered views of pictures of one class, or one object
//! pasted onto two backgrounds.

use rand::{Rng as _, seq::IndexedRandom as _};

use super::{
    Class, Collection, DataError,
    augment::{Light, View},
    paste,
    source::{Rng, Source},
};
use crate::{
    episode::{Episode, Shot},
    image::Picture,
};

/// An object smaller than this share of the picture teaches little.
const SMALLEST: f64 = 0.005;
/// And one larger than this leaves no background.
const LARGEST: f64 = 0.9;
/// How often to look for a better view or another picture before taking what there is.
const TRIES: usize = 8;

/// Draws training episodes from a collection, all classes alike.
pub struct Photographs {
    collection: Collection,
    /// Height and width of every picture it gives.
    size: [usize; 2],
    /// The share of episodes that paste one object onto two backgrounds.
    pasted: f64,
}

impl Photographs {
    /// Episodes of `size` = (height, width), of which the share `pasted`, 0..=1, is pasted.
    ///
    /// # Errors
    /// When the collection is empty.
    pub fn new(collection: Collection, size: [usize; 2], pasted: f64) -> Result<Self, DataError> {
        if collection.is_empty() {
            return Err(DataError::Empty);
        }
        Ok(Self { collection, size, pasted: pasted.clamp(0.0, 1.0) })
    }

    fn class(&self, rng: &mut Rng) -> &Class {
        let class = self.collection.classes.choose(rng);
        class.expect("the collection is not empty")
    }

    /// A picture of the class as it is on disk, another than `but` if there is another.
    fn member(&self, class: &Class, but: Option<usize>, rng: &mut Rng) -> usize {
        match but {
            None => rng.random_range(0..class.len()),
            Some(only) if class.len() == 1 => only,
            Some(but) => {
                let other = rng.random_range(0..class.len() - 1);
                other + usize::from(other >= but)
            }
        }
    }

    fn shot(&self, class: &Class, member: usize) -> Result<Shot, DataError> {
        let (scene, label) = class.members[member];
        Ok(self.collection.scene(scene)?.shot(label))
    }

    /// Support and query as photographed, each through a view of its own.
    fn photographed(&self, class: &Class, rng: &mut Rng) -> Result<Episode, DataError> {
        let support = self.member(class, None, rng);
        let query = self.member(class, Some(support), rng);
        let [support, query] = [support, query].map(|member| self.shot(class, member));
        Ok(Episode {
            class: class.id,
            supports: vec![self.altered(&support?, rng)],
            query: self.altered(&query?, rng),
            ignore: None,
        })
    }

    /// The shot through a view in which enough of the object shows, in other light.
    fn altered(&self, shot: &Shot, rng: &mut Rng) -> Shot {
        let pixels = (self.size[0] * self.size[1]) as f64;
        let (mut view, mut mask) = (View::WHOLE, shot.mask.clone());
        for _ in 0..TRIES {
            view = View::random(rng);
            mask = view.mask(&shot.mask, self.size);
            if (SMALLEST..LARGEST).contains(&(mask.area() as f64 / pixels)) {
                break;
            }
        }
        let mut picture = view.picture(&shot.picture, self.size);
        Light::random(rng).picture(&mut picture);
        Shot { picture, mask }
    }

    /// One object on two backgrounds, each with a distractor of another class now and then.
    fn pasted(&self, class: &Class, rng: &mut Rng) -> Result<Episode, DataError> {
        let object = self.shot(class, self.member(class, None, rng))?;
        let mut shot = || -> Result<Shot, DataError> {
            let mut picture = self.background(class, rng)?;
            if rng.random_bool(0.7) {
                let other = self.class(rng);
                if other.id != class.id {
                    let distractor = self.shot(other, self.member(other, None, rng))?;
                    paste::paste(&distractor, &mut picture, rng);
                }
            }
            let mask = paste::paste(&object, &mut picture, rng);
            Light::random(rng).picture(&mut picture);
            Ok(Shot { picture, mask })
        };
        Ok(Episode { class: class.id, supports: vec![shot()?], query: shot()?, ignore: None })
    }

    /// Some picture that is not known to show the class, through a random view.
    fn background(&self, class: &Class, rng: &mut Rng) -> Result<Picture, DataError> {
        let shows = |scene: usize| class.members.iter().any(|&(shown, _)| shown == scene);
        let mut scene = 0;
        for _ in 0..TRIES {
            scene = rng.random_range(0..self.collection.scenes());
            if !shows(scene) {
                break;
            }
        }
        let scene = self.collection.scene(scene)?;
        Ok(View::random(rng).picture(&scene.picture, self.size))
    }
}

impl Source for Photographs {
    fn draw(&self, rng: &mut Rng) -> Result<Episode, DataError> {
        let class = self.class(rng);
        match rng.random_bool(self.pasted) {
            true => self.pasted(class, rng),
            false => self.photographed(class, rng),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{
        Format, Split,
        fixture::{Tree, selection},
        stream,
    };

    /// Two classes of two pictures each, whose left half is object.
    fn tree() -> Tree {
        let tree = Tree::new();
        for class in ["ant", "bee"] {
            for number in 1..=2 {
                tree.picture(&format!("{class}/{number}.jpg"), 16, 16);
                let half: Vec<u8> = (0..256).map(|i| u8::from(i % 16 < 8)).collect();
                tree.grey(&format!("{class}/{number}.png"), 16, &half);
            }
        }
        tree
    }

    fn photographs(tree: &Tree, pasted: f64) -> Photographs {
        let collection = Format::Fss.open(tree.root(), &selection(Split::Train)).unwrap();
        Photographs::new(collection, [24, 32], pasted).unwrap()
    }

    #[test]
    fn episodes_have_the_size_asked_for_and_show_the_object() {
        let tree = tree();
        for pasted in [0.0, 1.0] {
            let photographs = photographs(&tree, pasted);
            for index in 0..30 {
                let episode = photographs.draw(&mut stream(0, index)).unwrap();
                for shot in [&episode.query, &episode.supports[0]] {
                    assert_eq!([shot.picture.height, shot.picture.width], [24, 32]);
                    assert_eq!([shot.mask.height, shot.mask.width], [24, 32]);
                    assert!(shot.mask.area() > 0, "draw {index} shows no object");
                }
            }
        }
    }

    #[test]
    fn classes_are_drawn_alike_and_draws_repeat() {
        let tree = tree();
        let photographs = photographs(&tree, 0.5);
        let draw = |index| photographs.draw(&mut stream(9, index)).unwrap();
        let ants = (0..400).filter(|&index| draw(index).class == 0).count();
        assert!((160..240).contains(&ants), "{ants} of 400");
        assert_eq!(draw(3).query, draw(3).query);
        assert_ne!(draw(3).query, draw(4).query);
    }

    #[test]
    fn the_query_is_another_picture() {
        let tree = tree();
        let photographs = photographs(&tree, 0.0);
        let class = &photographs.collection.classes[0];
        for index in 0..20 {
            let mut rng = stream(0, index);
            let first = photographs.member(class, None, &mut rng);
            assert_ne!(photographs.member(class, Some(first), &mut rng), first);
        }
    }
}
