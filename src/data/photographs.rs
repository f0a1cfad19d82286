//! Training episodes from a collection: pictures of one class, or one object pasted onto several backgrounds.

use std::{collections::HashSet, sync::Arc};

use rand::{
    Rng as _,
    seq::{IndexedRandom as _, SliceRandom as _, index},
};

use super::{
    Class, Collection, DataError, Scene,
    augment::Augment,
    paste,
    source::{Rng, Source},
};
use crate::{
    episode::{Episode, Shot},
    image::{Mask, Picture},
};

/// An object smaller than this share of the picture teaches little.
const SMALLEST: f64 = 0.005;
/// And one larger than this leaves no background.
const LARGEST: f64 = 0.9;
/// How often to look for a better view or another picture before taking what there is.
const TRIES: usize = 8;
/// The generators that shuffle the pictures count from here; those of the draws count from 0.
const SHUFFLES: u64 = 1 << 62;

/// Whose turn it is to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Sample {
    /// Any class, all alike, and any of its pictures.
    Classes,
    /// Every picture of every class once, in random order, then all again, as published for PASCAL and FSS-1000. Large
    /// classes come more often than small ones.
    Pictures,
}

/// How episodes are made of photographs.
#[derive(Clone, Copy, Debug)]
pub struct Making {
    /// Height and width of every picture.
    pub size: [usize; 2],
    /// Supports an episode.
    pub shots: usize,
    pub sample: Sample,
    pub augment: Augment,
    /// The share of episodes, 0..=1, that paste one object onto other backgrounds.
    pub pasted: f64,
    /// The share of episodes, 0..=1, whose query does not show the class: the right answer is an empty mask.
    pub negative: f64,
}

/// Draws training episodes from a collection.
pub struct Photographs {
    collection: Collection,
    making: Making,
    /// The scenes that show each class.
    showing: Vec<HashSet<usize>>,
    /// The scenes that show any of them: a class that was left out of the collection serves as no background either.
    scenes: Vec<usize>,
}

/// What an episode is about.
#[derive(Clone, Copy)]
struct Question<'a> {
    class: &'a Class,
    /// The scenes that show the class.
    showing: &'a HashSet<usize>,
    /// The place in the class of the picture whose turn it is.
    member: usize,
    /// Whether the query is some picture without the class instead.
    negative: bool,
}

impl Photographs {
    /// # Errors
    /// When the collection is empty, or negative episodes are wanted of a class that every picture shows.
    pub fn new(collection: Collection, making: Making) -> Result<Self, DataError> {
        if collection.is_empty() {
            return Err(DataError::Empty);
        }
        let scenes_of = |class: &Class| class.members.iter().map(|&(scene, _)| scene).collect();
        let showing: Vec<HashSet<usize>> = collection.classes.iter().map(scenes_of).collect();
        let mut scenes: Vec<usize> = showing.iter().flatten().copied().collect();
        scenes.sort_unstable();
        scenes.dedup();
        let everywhere = showing.iter().position(|showing| showing.len() == scenes.len());
        if let Some(class) = everywhere.filter(|_| making.negative > 0.0) {
            return Err(DataError::Everywhere { class: collection.classes[class].name.clone() });
        }
        Ok(Self { collection, making, showing, scenes })
    }

    fn question(&self, turn: u64, rng: &mut Rng) -> Question<'_> {
        let (class, member) = match self.making.sample {
            Sample::Classes => {
                let class = rng.random_range(0..self.showing.len());
                (class, rng.random_range(0..self.collection.classes[class].len()))
            }
            Sample::Pictures => self.picture(turn, rng),
        };
        let negative = rng.random_bool(self.making.negative);
        Question { class: &self.collection.classes[class], showing: &self.showing[class], member, negative }
    }

    /// The class, and the place in it, of the picture whose turn it is. Every round has an order of its own, the same
    /// for all generators of one seed.
    fn picture(&self, turn: u64, rng: &Rng) -> (usize, usize) {
        let pictures = self.collection.len();
        let round = turn / pictures as u64;
        let mut shuffler = rng.clone();
        shuffler.set_stream(SHUFFLES + round);
        shuffler.set_word_pos(0);
        let mut order: Vec<usize> = (0..pictures).collect();
        order.shuffle(&mut shuffler);
        let mut place = order[(turn % pictures as u64) as usize];
        for (number, class) in self.collection.classes.iter().enumerate() {
            match place.checked_sub(class.len()) {
                None => return (number, place),
                Some(rest) => place = rest,
            }
        }
        unreachable!("the classes' pictures add up to the collection's")
    }

    fn shot(&self, class: &Class, member: usize) -> Result<Shot, DataError> {
        let (scene, label) = class.members[member];
        Ok(self.collection.scene(scene)?.shot(label))
    }

    /// Supports and query as photographed, each through a view of its own.
    fn photographed(&self, asked: Question, rng: &mut Rng) -> Result<Episode, DataError> {
        let supports = supports(asked.class, asked.member, self.making.shots, rng);
        let mut shots = Vec::new();
        for member in supports {
            shots.push(self.altered(&self.shot(asked.class, member)?, rng));
        }
        let query = match asked.negative {
            true => self.without(asked, rng)?,
            false => self.shot(asked.class, asked.member)?,
        };
        let query = self.altered(&query, rng);
        Ok(Episode { class: asked.class.id, supports: shots, query, ignore: None })
    }

    /// The shot through a view in which enough of the object shows, in other light.
    fn altered(&self, shot: &Shot, rng: &mut Rng) -> Shot {
        let Making { augment, size: [height, width], .. } = self.making;
        if augment == Augment::None {
            return shot.resize(height, width);
        }
        let shows_enough = |mask: &Mask| {
            let share = mask.area() as f64 / (height * width) as f64;
            shot.mask.area() == 0 || (SMALLEST..LARGEST).contains(&share)
        };
        let mut view = augment.view(rng);
        let mut mask = view.mask(&shot.mask, self.making.size);
        for _ in 1..TRIES {
            if shows_enough(&mask) {
                break;
            }
            view = augment.view(rng);
            mask = view.mask(&shot.mask, self.making.size);
        }
        let mut picture = view.picture(&shot.picture, self.making.size);
        augment.relight(&mut picture, rng);
        Shot { picture, mask, unsure: None }
    }

    /// One object on several backgrounds, each with a distractor of another class now and then.
    fn pasted(&self, asked: Question, rng: &mut Rng) -> Result<Episode, DataError> {
        let object = self.shot(asked.class, asked.member)?;
        let shots = (0..self.making.shots).map(|_| self.composed(asked, Some(&object), rng));
        let supports = shots.collect::<Result<_, _>>()?;
        let query = self.composed(asked, (!asked.negative).then_some(&object), rng)?;
        Ok(Episode { class: asked.class.id, supports, query, ignore: None })
    }

    /// A background with a distractor now and then, and the object, if there is one, before both.
    fn composed(&self, asked: Question, object: Option<&Shot>, rng: &mut Rng) -> Result<Shot, DataError> {
        let mut picture = self.background(asked, rng)?;
        if rng.random_bool(0.7)
            && let Some(other) = self.collection.classes.choose(rng)
            && other.id != asked.class.id
        {
            let distractor = self.shot(other, rng.random_range(0..other.len()))?;
            paste::paste(&distractor, &mut picture, rng);
        }
        let mask = match object {
            Some(object) => paste::paste(object, &mut picture, rng),
            None => Mask::empty(picture.height, picture.width),
        };
        self.making.augment.relight(&mut picture, rng);
        Ok(Shot { picture, mask, unsure: None })
    }

    /// Some picture that does not show the class; any, if all do.
    fn background(&self, asked: Question, rng: &mut Rng) -> Result<Picture, DataError> {
        let picture = match asked.showing.len() == self.scenes.len() {
            true => self.collection.scene(self.scenes[rng.random_range(0..self.scenes.len())])?.picture.clone(),
            false => self.without(asked, rng)?.picture,
        };
        let mask = Mask::empty(picture.height, picture.width);
        Ok(self.altered(&Shot { picture, mask, unsure: None }, rng).picture)
    }

    /// Some picture that does not show the class, nothing marked in it. There must be one that is not listed for it.
    /// Lists leave out small objects, so that the labels are asked as well, where they tell.
    fn without(&self, asked: Question, rng: &mut Rng) -> Result<Shot, DataError> {
        let label = self.collection.label(asked.class);
        let mut scene = self.unlisted(asked, rng)?;
        for _ in 1..TRIES {
            if !label.is_some_and(|label| scene.shows(label)) {
                break;
            }
            scene = self.unlisted(asked, rng)?;
        }
        let picture = scene.picture.clone();
        let mask = Mask::empty(picture.height, picture.width);
        Ok(Shot { picture, mask, unsure: None })
    }

    /// Some picture that is not listed as showing the class. There must be one.
    fn unlisted(&self, asked: Question, rng: &mut Rng) -> Result<Arc<Scene>, DataError> {
        loop {
            let scene = self.scenes[rng.random_range(0..self.scenes.len())];
            if !asked.showing.contains(&scene) {
                return self.collection.scene(scene);
            }
        }
    }
}

/// The places in a class of `shots` pictures to show, other ones than that of the `query` and each other as long as
/// there are any.
pub fn supports(class: &Class, query: usize, shots: usize, rng: &mut Rng) -> Vec<usize> {
    if class.len() < 2 {
        return vec![query; shots];
    }
    let others = class.len() - 1;
    let chosen = index::sample(rng, others, shots.min(others)).into_vec();
    chosen.into_iter().map(|other| other + usize::from(other >= query)).cycle().take(shots).collect()
}

impl Source for Photographs {
    fn draw(&self, turn: u64, rng: &mut Rng) -> Result<Episode, DataError> {
        let asked = self.question(turn, rng);
        match rng.random_bool(self.making.pasted) {
            true => self.pasted(asked, rng),
            false => self.photographed(asked, rng),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::data::{
        Format, Split,
        fixture::{Tree, selection},
        stream,
    };

    const MAKING: Making = Making {
        size: [24, 32],
        shots: 1,
        sample: Sample::Classes,
        augment: Augment::Full,
        pasted: 0.0,
        negative: 0.0,
    };

    /// Three classes of two, three and five pictures, whose left half is object.
    fn tree() -> Tree {
        let tree = Tree::new();
        for (class, pictures) in [("ant", 2), ("bee", 3), ("cow", 5)] {
            for number in 1..=pictures {
                tree.picture(&format!("{class}/{number}.jpg"), 16, 16);
                let half: Vec<u8> = (0..256).map(|i| u8::from(i % 16 < 8)).collect();
                tree.grey(&format!("{class}/{number}.png"), 16, &half);
            }
        }
        tree
    }

    fn photographs(tree: &Tree, making: Making) -> Photographs {
        let collection = Format::Fss.open(tree.root(), &selection(Split::Train)).unwrap();
        Photographs::new(collection, making).unwrap()
    }

    fn draw(photographs: &Photographs, turn: u64) -> Episode {
        photographs.draw(turn, &mut stream(9, turn)).unwrap()
    }

    #[test]
    fn episodes_have_the_size_and_the_shots_asked_for_and_show_the_object() {
        let tree = tree();
        for (pasted, augment) in [(0.0, Augment::Full), (1.0, Augment::Full), (0.0, Augment::None)] {
            let photographs = photographs(&tree, Making { pasted, augment, shots: 3, ..MAKING });
            for turn in 0..30 {
                let episode = draw(&photographs, turn);
                assert_eq!(episode.supports.len(), 3);
                for shot in episode.supports.iter().chain([&episode.query]) {
                    assert_eq!([shot.picture.height, shot.picture.width], [24, 32]);
                    assert_eq!([shot.mask.height, shot.mask.width], [24, 32]);
                    assert!(shot.mask.area() > 0, "draw {turn} shows no object");
                }
            }
        }
    }

    #[test]
    fn classes_are_drawn_alike_and_draws_repeat() {
        let tree = tree();
        let photographs = photographs(&tree, Making { pasted: 0.5, ..MAKING });
        let mut drawn = BTreeMap::new();
        (0..600).for_each(|turn| *drawn.entry(draw(&photographs, turn).class).or_insert(0) += 1);
        assert!(drawn.len() == 3 && drawn.values().all(|count| (160..240).contains(count)), "{drawn:?}");
        assert_eq!(draw(&photographs, 3).query, draw(&photographs, 3).query);
        assert_ne!(draw(&photographs, 3).query, draw(&photographs, 4).query);
    }

    #[test]
    fn every_picture_has_its_turn_in_another_order_each_round() {
        let tree = tree();
        let photographs = photographs(&tree, Making { sample: Sample::Pictures, ..MAKING });
        let round = |round: u64| -> Vec<(usize, usize)> {
            (10 * round..10 * (round + 1)).map(|turn| photographs.picture(turn, &stream(0, turn))).collect()
        };
        let (first, second) = (round(0), round(1));
        assert_ne!(first, second);
        for mut pictures in [first, second] {
            pictures.sort_unstable();
            let all: Vec<_> =
                [(0, 2), (1, 3), (2, 5)].into_iter().flat_map(|(c, n)| (0..n).map(move |m| (c, m))).collect();
            assert_eq!(pictures, all);
        }
    }

    #[test]
    fn the_asked_share_of_queries_does_not_show_the_class() {
        let tree = tree();
        for pasted in [0.0, 1.0] {
            let photographs = photographs(&tree, Making { negative: 0.25, pasted, ..MAKING });
            let empty = (0..400).filter(|&turn| {
                let episode = draw(&photographs, turn);
                assert!(episode.supports[0].mask.area() > 0, "a support shows nothing");
                episode.query.mask.area() == 0
            });
            let empty = empty.count();
            assert!((70..130).contains(&empty), "{empty} of 400 with pasted {pasted}");
        }
    }

    #[test]
    fn a_negative_query_is_a_picture_of_another_class() {
        let tree = tree();
        // The ants' pictures alone are all white.
        for number in 1..=2 {
            tree.white(&format!("ant/{number}.jpg"), 16, 16);
        }
        let photographs = photographs(&tree, Making { negative: 1.0, augment: Augment::None, ..MAKING });
        for turn in 0..100 {
            let episode = draw(&photographs, turn);
            let is_white = |shot: &Shot| shot.picture.rgb[0] > 200;
            assert_eq!(is_white(&episode.supports[0]), episode.class == 0);
            assert!(episode.class != 0 || !is_white(&episode.query));
        }
    }

    /// A bus of one pixel in a white picture, too small for the lists to say so.
    #[test]
    fn a_negative_query_shows_nothing_of_the_class_whatever_the_lists_say() {
        let tree = Tree::new();
        for name in ["bus", "car1", "car2", "car3", "car4"] {
            tree.picture(&format!("JPEGImages/{name}.jpg"), 16, 16);
            tree.grey(&format!("SegmentationClassAug/{name}.png"), 16, &[if name == "bus" { 6 } else { 7 }; 256]);
        }
        tree.white("JPEGImages/speck.jpg", 16, 16);
        tree.grey("SegmentationClassAug/speck.png", 16, &[vec![6], vec![7; 255]].concat());
        tree.text("lists/trn/fold1.txt", "bus__06\ncar1__07\ncar2__07\ncar3__07\ncar4__07\nspeck__07\n");
        (2..4).for_each(|fold| tree.text(&format!("lists/trn/fold{fold}.txt"), ""));
        let read = Format::Pascal.open(tree.root(), &selection(Split::Train)).unwrap();
        let making = Making { negative: 1.0, augment: Augment::None, ..MAKING };
        let photographs = Photographs::new(read, making).unwrap();
        let busses: Vec<Episode> =
            (0..100).map(|turn| draw(&photographs, turn)).filter(|episode| episode.class == 5).collect();
        assert!(busses.len() > 30);
        assert!(busses.iter().all(|episode| episode.query.picture.rgb[0] < 200));
    }

    #[test]
    fn where_every_picture_shows_the_class_nothing_can_be_negative() {
        let tree = tree();
        let collection = Format::Fss.open(tree.root(), &selection(Split::Train)).unwrap();
        let bees = collection.filter(|class| class.name == "bee");
        assert!(Photographs::new(bees.clone(), MAKING).is_ok());
        let error = Photographs::new(bees, Making { negative: 0.1, ..MAKING }).err().unwrap().to_string();
        assert!(error.contains("bee"), "{error}");
    }

    #[test]
    fn supports_are_other_pictures_than_the_query_and_each_other() {
        let tree = tree();
        let collection = Format::Fss.open(tree.root(), &selection(Split::Train)).unwrap();
        let [ant, _, cow] = &collection.classes[..] else { panic!() };
        for turn in 0..20 {
            let mut chosen = supports(cow, 2, 4, &mut stream(0, turn));
            chosen.sort_unstable();
            assert_eq!(chosen, [0, 1, 3, 4]);
            assert_eq!(supports(ant, 0, 3, &mut stream(0, turn)), [1, 1, 1]);
        }
    }
}
