//! What a training learns from and what it is validated on.

use rand::Rng as _;
use rand::seq::SliceRandom as _;

use super::{DataSet, Settings};
use crate::data::{
    Class, Collection, DataError, Drawn, Format, Making, Mixture, Photographs, Rng, Selection, Source, Split,
    number_apart, stream, supports,
};
use crate::episode::Episode;

/// Of this many classes, one is held out.
const HELD_OUT: usize = 8;
/// A collection of fewer classes keeps them all.
const FEWEST: usize = 6;
/// How often each picture of a novel class is asked, with another support each time.
const DRAWS: usize = 2;
/// Pictures are kept a little larger than they are trained at, so that a crop has something to show.
const MARGIN: f64 = 1.25;
/// The generators of choices made once; those of training draws count from 0.
const HOLDING_OUT: u64 = u64::MAX;
const NOVEL_EPISODES: u64 = u64::MAX - 1;
const HELD_OUT_EPISODES: u64 = u64::MAX / 2;

/// Episodes without end to learn from, and fixed ones to validate on.
pub struct Material {
    /// To learn from.
    pub training: Mixture,
    /// Of classes that are known but not learned from; they choose the threshold. Where no data set has classes to
    /// spare, draws from the training material that it never sees.
    pub held_out: Vec<Episode>,
    /// Of the classes that the data sets' protocols call novel; they only report.
    pub novel: Vec<Episode>,
    /// The names of the held-out classes.
    pub held_out_classes: Vec<String>,
    /// Where it all comes from, in words.
    pub description: String,
}

impl Material {
    /// Opens the data sets of a training.
    ///
    /// # Errors
    /// When a data set cannot be used, or nothing is left to learn from.
    pub fn open(settings: &Settings) -> Result<Self, DataError> {
        let open_all = |split| -> Result<Vec<Collection>, DataError> {
            settings.data.iter().map(|set| open(set, split, settings)).collect()
        };
        let (mut known, mut novel) = (open_all(Split::Train)?, open_all(Split::Test)?);
        check_names(&known, settings)?;
        number_apart(known.iter_mut().chain(&mut novel));

        let recipe = &settings.recipe;
        let making = Making {
            size: recipe.plane(),
            shots: recipe.shots,
            sample: recipe.sample,
            augment: recipe.augment,
            pasted: recipe.pasted,
            negative: recipe.negative,
        };
        let mut training = Mixture::default();
        let mut held_out = Vec::new();
        for (set, collection) in settings.data.iter().zip(known) {
            let used = collection.filter(|class| !settings.exclude.contains(&class.name));
            let (kept, held) = hold_out(used, settings);
            training.add(set.weight, Photographs::new(kept, making)?);
            held_out.push(held);
        }
        let Making { size, shots, negative, .. } = making;
        training.add(settings.drawn, Drawn { size, shots, negative });
        Ok(Self {
            held_out: held_out_episodes(&held_out, &training, settings)?,
            novel: novel_episodes(&novel, settings)?,
            held_out_classes: held_out.iter().flat_map(|held| &held.classes).map(|class| class.name.clone()).collect(),
            training,
            description: description(settings),
        })
    }
}

fn open(set: &DataSet, split: Split, settings: &Settings) -> Result<Collection, DataError> {
    let selection = Selection {
        fold: settings.fold,
        longest_side: Some((MARGIN * settings.recipe.size as f64) as usize),
        lists: set.lists.clone(),
        skip_missing: settings.skip_missing,
        ..Selection::new(split)
    };
    set.format.open(&set.root, &selection)
}

/// A misspelt class would silently be learned from.
fn check_names(collections: &[Collection], settings: &Settings) -> Result<(), DataError> {
    let classes = || collections.iter().flat_map(|collection| &collection.classes);
    let is_known = |name: &String| classes().any(|class| class.name == *name);
    let unknown: Vec<String> =
        settings.exclude.iter().chain(&settings.hold_out).filter(|name| !is_known(name)).cloned().collect();
    match unknown.is_empty() {
        true => Ok(()),
        false => {
            Err(DataError::Classes { unknown, known: classes().take(100).map(|class| class.name.clone()).collect() })
        }
    }
}

/// The classes to learn from, and those held out: the named ones, or some chosen by the seed, or none where nothing is
/// to be chosen on them.
fn hold_out(collection: Collection, settings: &Settings) -> (Collection, Collection) {
    let mut named = settings.hold_out.clone();
    let askable = askable(&collection);
    if named.is_empty() && settings.recipe.holds_out() && askable.len() >= FEWEST {
        let mut names: Vec<String> = askable.iter().map(|class| class.name.clone()).collect();
        names.shuffle(&mut stream(settings.start.seed, HOLDING_OUT));
        names.truncate(names.len().div_ceil(HELD_OUT));
        named = names;
    }
    let is_held = |class: &Class| named.contains(&class.name);
    (collection.filter(|class| !is_held(class)), collection.filter(is_held))
}

/// The classes of which one picture can be shown and another asked.
fn askable(collection: &Collection) -> Vec<&Class> {
    collection.classes.iter().filter(|class| class.len() > 1).collect()
}

/// One and the same set of episodes each time, all held-out classes alike.
fn held_out_episodes(
    collections: &[Collection],
    training: &Mixture,
    settings: &Settings,
) -> Result<Vec<Episode>, DataError> {
    let classes: Vec<(&Collection, &Class)> = (collections.iter())
        .flat_map(|collection| askable(collection).into_iter().map(move |class| (collection, class)))
        .collect();
    let episodes = (0..settings.held_out_episodes).map(|index| {
        let number = HELD_OUT_EPISODES + index as u64;
        let mut rng = stream(settings.start.seed, number);
        if classes.is_empty() {
            return training.draw(number, &mut rng);
        }
        let (collection, class) = classes[index % classes.len()];
        let query = rng.random_range(0..class.len());
        ask(collection, class, query, &mut rng, settings)
    });
    episodes.collect()
}

/// Every picture of every class asked [`DRAWS`] times.
fn novel_episodes(collections: &[Collection], settings: &Settings) -> Result<Vec<Episode>, DataError> {
    let mut episodes = Vec::new();
    for collection in collections {
        let mut rng = stream(settings.start.seed, NOVEL_EPISODES);
        for class in askable(collection) {
            for query in (0..class.len()).flat_map(|query| [query; DRAWS]) {
                episodes.push(ask(collection, class, query, &mut rng, settings)?);
            }
        }
    }
    Ok(episodes)
}

/// The episode that asks for `query` and shows other pictures of the class.
fn ask(
    collection: &Collection,
    class: &Class,
    query: usize,
    rng: &mut Rng,
    settings: &Settings,
) -> Result<Episode, DataError> {
    let supports = supports(class, query, settings.recipe.shots, rng);
    let [height, width] = settings.recipe.plane();
    Ok(collection.episode(class, &supports, query)?.resize(height, width))
}

fn description(settings: &Settings) -> String {
    let mut parts: Vec<String> = settings
        .data
        .iter()
        .map(|set| {
            let name = set.root.file_name().unwrap_or(set.root.as_os_str()).to_string_lossy();
            match set.format {
                Format::Pascal | Format::Coco => match settings.fold {
                    Some(fold) => format!("{name} without fold {fold}"),
                    None => format!("{name}, all folds"),
                },
                _ => name.into_owned(),
            }
        })
        .collect();
    if settings.drawn > 0.0 {
        parts.push("drawn shapes".into());
    }
    let mut text = parts.join(", ");
    if !settings.exclude.is_empty() {
        text += &format!("; without the classes {}", settings.exclude.join(", "));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::data::fixture::Tree;
    use crate::train::Select;
    use crate::train::settings::tests::tiny;

    /// Eight classes of two pictures each.
    fn tree() -> Tree {
        let tree = Tree::new();
        for class in 0..8 {
            for number in 1..=2 {
                tree.picture(&format!("c{class}/{number}.jpg"), 8, 8);
                tree.grey(&format!("c{class}/{number}.png"), 8, &[vec![0; 32], vec![1; 32]].concat());
            }
        }
        tree
    }

    fn settings(tree: &Tree) -> Settings {
        let mut settings = Settings { drawn: 0.0, held_out_episodes: 10, ..tiny() };
        settings.data[0].root = tree.root().to_owned();
        settings
    }

    fn classes(collection: &Collection) -> Vec<String> {
        collection.classes.iter().map(|class| class.name.clone()).collect()
    }

    #[test]
    fn one_class_in_eight_is_held_out_and_not_learned_from() {
        let tree = tree();
        let settings = settings(&tree);
        let all = open(&settings.data[0], Split::Train, &settings).unwrap();
        let (kept, held) = hold_out(all, &settings);
        assert_eq!((kept.classes.len(), held.classes.len()), (7, 1));
        assert!(!classes(&kept).contains(&held.classes[0].name));
    }

    #[test]
    fn where_nothing_is_to_be_chosen_no_class_is_held_out() {
        let tree = tree();
        for (threshold, select, held) in
            [(Some(0.4), Select::Last, 0), (Some(0.4), Select::HeldOut, 1), (None, Select::Last, 1)]
        {
            let mut settings = settings(&tree);
            (settings.recipe.threshold, settings.recipe.select) = (threshold, select);
            assert_eq!(Material::open(&settings).unwrap().held_out_classes.len(), held, "{threshold:?} {select:?}");
        }
    }

    #[test]
    fn named_classes_are_held_out_or_left_out() {
        let tree = tree();
        let settings =
            Settings { hold_out: vec!["c1".into(), "c2".into()], exclude: vec!["c3".into()], ..settings(&tree) };
        let all = open(&settings.data[0], Split::Train, &settings).unwrap();
        let (kept, held) = hold_out(all, &settings);
        assert_eq!(classes(&held), ["c1", "c2"]);
        assert_eq!(classes(&kept), ["c0", "c3", "c4", "c5", "c6", "c7"]);
        assert!(Material::open(&settings).unwrap().held_out.iter().all(|episode| [1, 2].contains(&episode.class)));
    }

    #[test]
    fn classes_of_several_data_sets_are_not_mixed_up() {
        let trees = [tree(), tree()];
        let mut settings = Settings { held_out_episodes: 4, ..settings(&trees[0]) };
        let second = DataSet { root: trees[1].root().to_owned(), ..settings.data[0].clone() };
        settings.data.push(second);
        // One class is held out of each; both data sets have classes of the same names and numbers.
        let material = Material::open(&settings).unwrap();
        let classes: BTreeSet<usize> = material.held_out.iter().map(|episode| episode.class).collect();
        assert_eq!((material.held_out_classes.len(), classes.len()), (2, 2));
    }

    #[test]
    fn a_validation_has_the_shots_of_the_training() {
        let tree = tree();
        let mut settings = settings(&tree);
        settings.recipe.shots = 3;
        let material = Material::open(&settings).unwrap();
        let episodes = material.held_out.into_iter().chain([material.training.draw(0, &mut stream(0, 0)).unwrap()]);
        assert!(episodes.into_iter().all(|episode| episode.supports.len() == 3));
    }

    #[test]
    fn a_misspelt_class_is_named() {
        let tree = tree();
        let settings = Settings { exclude: vec!["c3".into(), "c33".into()], ..settings(&tree) };
        let error = Material::open(&settings).err().unwrap().to_string();
        assert!(error.contains("no data set has a class named c33;"), "{error}");
    }

    #[test]
    fn validation_is_the_same_each_time() {
        let tree = tree();
        let open = || Material::open(&settings(&tree)).unwrap();
        let (once, again) = (open(), open());
        assert_eq!(once.held_out.len(), 10);
        assert!(once.novel.is_empty());
        for (once, again) in once.held_out.iter().zip(&again.held_out) {
            assert_eq!(once.query, again.query);
            assert_eq!(once.query.picture.rgb.len(), 64 * 64 * 3);
        }
    }

    #[test]
    fn without_data_sets_all_is_drawn() {
        let settings = Settings { data: vec![], ..tiny() };
        let material = Material::open(&settings).unwrap();
        assert_eq!(material.held_out.len(), 2);
        assert_eq!(material.description, "drawn shapes");
    }
}
