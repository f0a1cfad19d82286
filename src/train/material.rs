//! What a training learns from and what it is validated on.

use rand::Rng as _;
use rand::seq::{IndexedRandom as _, SliceRandom as _};

use super::{DataSet, Settings};
use crate::data::{
    Class, Collection, DataError, Drawn, Format, Mixture, Photographs, Rng, Selection, Source, Split, stream,
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
        let mut material = Self {
            training: Mixture::default(),
            held_out: vec![],
            novel: vec![],
            held_out_classes: vec![],
            description: description(settings),
        };
        let mut held_out = Vec::new();
        let collections: Vec<Collection> =
            settings.data.iter().map(|set| open(set, Split::Train, settings)).collect::<Result<_, _>>()?;
        check_names(&collections, settings)?;
        for (set, collection) in settings.data.iter().zip(collections) {
            let used = collection.filter(|class| !settings.exclude.contains(&class.name));
            let (kept, held) = hold_out(used, settings);
            material.training.add(set.weight, Photographs::new(kept, settings.size, settings.pasted)?);
            material.held_out_classes.extend(held.classes.iter().map(|class| class.name.clone()));
            held_out.push(held);
            // Classes of different data sets may have the same number: here each has its own.
            let others = material.novel.iter().map(|episode| episode.class + 1).max().unwrap_or(0);
            let novel = novel_episodes(&open(set, Split::Test, settings)?, settings)?;
            material
                .novel
                .extend(novel.into_iter().map(|episode| Episode { class: others + episode.class, ..episode }));
        }
        material.training.add(settings.drawn, Drawn { size: settings.size });
        material.held_out = held_out_episodes(&held_out, &material.training, settings)?;
        Ok(material)
    }
}

fn open(set: &DataSet, split: Split, settings: &Settings) -> Result<Collection, DataError> {
    let longer = settings.size[0].max(settings.size[1]) as f64;
    let longest_side = Some((MARGIN * longer) as usize);
    let selection = Selection { fold: settings.fold, longest_side, ..Selection::new(split) };
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

/// The classes to learn from, and those held out: the named ones, or some chosen by the seed, or none where the
/// threshold is known.
fn hold_out(collection: Collection, settings: &Settings) -> (Collection, Collection) {
    let mut named = settings.hold_out.clone();
    let askable = askable(&collection);
    if named.is_empty() && settings.threshold.is_none() && askable.len() >= FEWEST {
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
    let classes: Vec<(usize, &Collection, &Class)> = (collections.iter())
        .flat_map(|collection| askable(collection).into_iter().map(move |class| (collection, class)))
        .enumerate()
        .map(|(number, (collection, class))| (number, collection, class))
        .collect();
    let episodes = (0..settings.held_out_episodes).map(|index| {
        let mut rng = stream(settings.start.seed, HELD_OUT_EPISODES + index as u64);
        if classes.is_empty() {
            return training.draw(&mut rng);
        }
        let (number, collection, class) = classes[index % classes.len()];
        let query = rng.random_range(0..class.len());
        // Classes of different data sets may have the same number: here each has its own.
        Ok(Episode { class: number, ..ask(collection, class, query, &mut rng, settings)? })
    });
    episodes.collect()
}

/// Every picture of every class asked [`DRAWS`] times.
fn novel_episodes(collection: &Collection, settings: &Settings) -> Result<Vec<Episode>, DataError> {
    let mut rng = stream(settings.start.seed, NOVEL_EPISODES);
    let mut episodes = Vec::new();
    for class in askable(collection) {
        for query in (0..class.len()).flat_map(|query| [query; DRAWS]) {
            episodes.push(ask(collection, class, query, &mut rng, settings)?);
        }
    }
    Ok(episodes)
}

/// The episode that asks for `query` and shows some other picture of the class.
fn ask(
    collection: &Collection,
    class: &Class,
    query: usize,
    rng: &mut Rng,
    settings: &Settings,
) -> Result<Episode, DataError> {
    let others: Vec<usize> = (0..class.len()).filter(|&other| other != query).collect();
    let support = *others.choose(rng).unwrap_or(&query);
    let [height, width] = settings.size;
    Ok(collection.episode(class, &[support], query)?.resize(height, width))
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
    use super::*;
    use crate::data::fixture::Tree;
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
    fn named_classes_are_held_out_or_left_out() {
        let tree = tree();
        let settings =
            Settings { hold_out: vec!["c1".into(), "c2".into()], exclude: vec!["c3".into()], ..settings(&tree) };
        let all = open(&settings.data[0], Split::Train, &settings).unwrap();
        let (kept, held) = hold_out(all, &settings);
        assert_eq!(classes(&held), ["c1", "c2"]);
        assert_eq!(classes(&kept), ["c0", "c3", "c4", "c5", "c6", "c7"]);
        assert!(Material::open(&settings).unwrap().held_out.iter().all(|episode| episode.class < 2));
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
