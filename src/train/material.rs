//! What a training learns from and what it is validated on.

use std::collections::BTreeSet;
use std::sync::Arc;

use rand::Rng as _;
use rand::seq::SliceRandom as _;

use super::batch::Batching;
use super::exam::Exam;
use super::{DataSet, Select, Settings, TrainError};
use crate::data::{
    Cache, Class, Collection, DataError, Draw, Drawn, Making, Mixture, Photographs, Protocol, Rng, Selection, Split,
    number_apart, stream, supports,
};

/// Of this many classes, one is held out.
const HELD_OUT: usize = 8;
/// A collection of fewer classes keeps them all.
const FEWEST: usize = 6;
/// How often each picture of a novel class is asked at most, with another support each time.
const TIMES: usize = 2;
/// How many episodes of novel classes a validation has at most unless it is told otherwise.
const NOVEL: usize = 200;
/// Pictures are kept a little larger than they are trained at, so that a crop has something to show.
const MARGIN: f64 = 1.25;
/// The generators of choices made once; those of training draws count from 0.
const HOLDING_OUT: u64 = u64::MAX;
const NOVEL_EPISODES: u64 = u64::MAX - 1;
const HELD_OUT_EPISODES: u64 = u64::MAX / 2;
/// The seed of the published test episodes.
const PUBLISHED: u64 = 0;

/// Episodes without end to learn from, and fixed ones to validate on.
pub struct Material {
    /// To learn from.
    pub training: Arc<Mixture>,
    /// Of classes that are known but not learned from; they choose threshold and weights. Where no data set has classes
    /// to spare, draws from the training material that it never sees.
    pub held_out: Exam,
    /// Of the classes that the data sets' protocols call novel. They only report, unless [`Select::Test`] has the
    /// weights chosen on them.
    pub novel: Exam,
    /// The names of the held-out classes.
    pub held_out_classes: Vec<String>,
    /// Where it all comes from, in words.
    pub description: String,
    /// Of each data set with files or lines that could not be used, a sentence that says how many.
    pub left_out: Vec<String>,
}

impl Material {
    /// Opens the data sets of a training.
    ///
    /// # Errors
    /// When data sets cannot be used, in one error for all of them, or nothing is left to learn from.
    pub fn open(settings: &Settings) -> Result<Self, TrainError> {
        let (mut known, mut novel) = open_all(settings)?;
        check_names(&known, settings)?;
        number_apart(known.iter_mut().chain(novel.iter_mut().flatten()));
        let description = description(settings, &known);
        let left_out = known.iter().chain(novel.iter().flatten()).filter_map(left_out).collect();

        let recipe = &settings.recipe;
        let making = Making {
            size: Batching::of(settings).made(),
            shots: recipe.shots,
            sample: recipe.sample,
            augment: recipe.augment,
            pasted: recipe.pasted,
            negative: recipe.negative,
        };
        let (kept, held) = hold_out(known, settings);
        let mut training = Mixture::default();
        for (set, collection) in settings.data.iter().zip(kept) {
            // One whose classes are all held out is only validated on.
            if !collection.is_empty() {
                training.add(set.weight, Photographs::new(collection, making)?);
            } else if held.iter().all(Collection::is_empty) {
                return Err(DataError::Empty.into());
            }
        }
        let Making { size, shots, negative, .. } = making;
        training.add(settings.drawn, Drawn { size, shots, negative });
        let training = Arc::new(training);
        Ok(Self {
            held_out_classes: held.iter().flat_map(|held| &held.classes).map(|class| class.name.clone()).collect(),
            held_out: held_out_exam(held, &training, settings),
            novel: novel_exam(novel, settings)?,
            training,
            description,
            left_out,
        })
    }
}

/// The known side of every data set, and the novel side of those that have one. What is wrong is told of all at once.
fn open_all(settings: &Settings) -> Result<(Vec<Collection>, Vec<Option<Collection>>), TrainError> {
    let cache = Cache::with_budget(settings.cache << 20);
    let mut problems: Vec<DataError> = Vec::new();
    let mut opened = |set, split| {
        match open(set, split, settings) {
            Ok(collection) => return Some(collection.with_cache(&cache)),
            // What is wrong with both sides is said once.
            Err(error) if problems.iter().any(|known| known.to_string() == error.to_string()) => {}
            Err(error) => problems.push(error),
        }
        None
    };
    let (mut known, mut novel) = (Vec::new(), Vec::new());
    for set in &settings.data {
        known.extend(opened(set, Split::Train));
        // One list is of one side, the one to learn from.
        let has_novel = !selection(set, Split::Train, settings).lists_one_side();
        novel.push(has_novel.then(|| opened(set, asked(settings.recipe.select))).flatten());
    }
    match problems.len() {
        0 => Ok((known, novel)),
        1 => Err(problems.remove(0).into()),
        _ => Err(TrainError::DataSets(problems)),
    }
}

/// The side that [`Material::novel`] asks. Published weights are chosen on the validation side, which of PASCAL-5i and
/// COCO-20i is the test side.
fn asked(select: Select) -> Split {
    match select {
        Select::Test => Split::Validation,
        Select::Last | Select::HeldOut => Split::Test,
    }
}

fn open(set: &DataSet, split: Split, settings: &Settings) -> Result<Collection, DataError> {
    set.format.open(&set.root, &selection(set, split, settings))
}

fn selection(set: &DataSet, split: Split, settings: &Settings) -> Selection {
    let [height, width] = Batching::of(settings).made();
    Selection {
        fold: settings.fold,
        longest_side: Some((MARGIN * height.max(width) as f64) as usize),
        lists: set.lists.clone(),
        skip_missing: settings.skip_missing,
        ..Selection::new(split)
    }
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

/// Of every collection the classes to learn from, and those held out: the named ones, or some of each chosen by the
/// seed, or none where nothing is to be chosen on them. A name that is held out of one is held out of all.
fn hold_out(collections: Vec<Collection>, settings: &Settings) -> (Vec<Collection>, Vec<Collection>) {
    let used: Vec<Collection> =
        collections.iter().map(|all| all.filter(|class| !settings.exclude.contains(&class.name))).collect();
    let held: BTreeSet<String> = match settings.hold_out.is_empty() && settings.recipe.holds_out() {
        true => used.iter().flat_map(|collection| some(collection, settings)).collect(),
        false => settings.hold_out.iter().cloned().collect(),
    };
    let is_held = |class: &Class| held.contains(&class.name);
    used.iter().map(|used| (used.filter(|class| !is_held(class)), used.filter(is_held))).unzip()
}

/// The names of some classes of a collection that has enough.
fn some(collection: &Collection, settings: &Settings) -> Vec<String> {
    let mut names: Vec<String> = askable(collection).map(|(_, class)| class.name.clone()).collect();
    if names.len() < FEWEST {
        return vec![];
    }
    names.shuffle(&mut stream(settings.start.seed, HOLDING_OUT));
    names.truncate(names.len().div_ceil(HELD_OUT));
    names
}

/// The classes of which one picture can be shown and another asked, with their places.
fn askable(collection: &Collection) -> impl Iterator<Item = (usize, &Class)> {
    collection.classes.iter().enumerate().filter(|(_, class)| class.len() > 1)
}

/// One and the same set of episodes each time, all held-out classes alike.
fn held_out_exam(collections: Vec<Collection>, training: &Arc<Mixture>, settings: &Settings) -> Exam {
    let collections: Vec<Arc<Collection>> = collections.into_iter().map(Arc::new).collect();
    let classes: Vec<(&Arc<Collection>, usize)> =
        collections.iter().flat_map(|held| askable(held).map(move |(class, _)| (held, class))).collect();
    let numbers = (0..settings.held_out_episodes).map(|index| HELD_OUT_EPISODES + index as u64);
    let mut exam = Exam::default();
    if classes.is_empty() {
        exam.draw(training, settings.start.seed, numbers);
        return exam;
    }
    for (number, &(collection, class)) in numbers.zip(classes.iter().cycle()) {
        let mut rng = stream(settings.start.seed, number);
        let query = rng.random_range(0..collection.classes[class].len());
        exam.ask(collection, [draw(collection, class, query, &mut rng, settings)]);
    }
    exam
}

/// The episodes by which published weights are chosen, where they are to be chosen so; else a number of episodes that is
/// soon gone through.
fn novel_exam(collections: Vec<Option<Collection>>, settings: &Settings) -> Result<Exam, DataError> {
    let mut exam = Exam::default();
    let mut others = Vec::new();
    for (set, collection) in settings.data.iter().zip(collections) {
        let Some(collection) = collection.map(|all| all.filter(|class| class.len() > 1)) else { continue };
        if settings.recipe.select == Select::Test && set.format.has_split() && !collection.is_empty() {
            let (shots, episodes) = (settings.recipe.shots, settings.novel_episodes);
            let draws = collection.draws(Protocol::Hsnet, shots, episodes, PUBLISHED)?;
            exam.ask(&Arc::new(collection), draws);
        } else {
            others.push(Arc::new(collection));
        }
    }
    for (collection, draw) in all_alike(&others, settings) {
        exam.ask(collection, [draw]);
    }
    Ok(exam)
}

/// A picture of every class, then another of every class, and so on until there are enough or each was asked [`TIMES`].
fn all_alike<'a>(collections: &'a [Arc<Collection>], settings: &Settings) -> Vec<(&'a Arc<Collection>, Draw)> {
    let mut rng = stream(settings.start.seed, NOVEL_EPISODES);
    let mut asked = Vec::new();
    for collection in collections {
        for (class, of) in askable(collection) {
            let mut queries: Vec<usize> = (0..of.len()).collect();
            queries.shuffle(&mut rng);
            let turns = queries.repeat(TIMES).into_iter().enumerate();
            asked.extend(turns.map(|(turn, query)| (turn, collection, class, query)));
        }
    }
    asked.sort_by_key(|&(turn, ..)| turn);
    asked.truncate(settings.novel_episodes.unwrap_or(NOVEL));
    let draws = asked.into_iter();
    draws
        .map(|(_, collection, class, query)| (collection, draw(collection, class, query, &mut rng, settings)))
        .collect()
}

/// The episode that asks for `query` and shows other pictures of the class.
fn draw(collection: &Collection, class: usize, query: usize, rng: &mut Rng, settings: &Settings) -> Draw {
    let supports = supports(&collection.classes[class], query, settings.recipe.shots, rng);
    Draw { class, supports, query }
}

/// How many files and lines of a collection could not be used, if any.
fn left_out(collection: &Collection) -> Option<String> {
    let skipped = collection.skipped();
    (skipped > 0).then(|| format!("{}: {skipped} files and lines that cannot be used are left out", collection.name))
}

/// What the description of a training that left a fold's classes alone says of it, for who tests on them.
pub fn without_fold(fold: usize) -> String {
    format!("without fold {fold}")
}

fn description(settings: &Settings, known: &[Collection]) -> String {
    let of = |(set, collection): (&DataSet, &Collection)| {
        let name = match (set.format.has_folds(), settings.fold) {
            (true, Some(fold)) => format!("{} {}", collection.name, without_fold(fold)),
            (true, None) => format!("{}, all folds", collection.name),
            (false, _) => collection.name.clone(),
        };
        match collection.skipped() {
            0 => name,
            skipped => format!("{name} ({skipped} files and lines left out)"),
        }
    };
    let mut parts: Vec<String> = settings.data.iter().zip(known).map(of).collect();
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
    use std::fs;

    use super::*;
    use crate::data::Source as _;
    use crate::data::fixture::Tree;
    use crate::episode::Episode;
    use crate::train::settings::tests::tiny;

    /// Eight classes of two pictures each.
    fn tree() -> Tree {
        let tree = Tree::new();
        for class in 0..8 {
            pictures(&tree, &format!("c{class}"), 2);
        }
        tree
    }

    /// A class of so many pictures.
    fn pictures(tree: &Tree, class: &str, count: usize) {
        for number in 1..=count {
            tree.picture(&format!("{class}/{number}.jpg"), 8, 8);
            tree.grey(&format!("{class}/{number}.png"), 8, &[vec![0; 32], vec![1; 32]].concat());
        }
    }

    /// Lists by which c0 to c3 are learned, c4 and c5 validated on and c6 and c7 tested on; c6 has four pictures.
    fn split(tree: &Tree) {
        pictures(tree, "c6", 4);
        for (list, classes) in [("trn", "c0\nc1\nc2\nc3"), ("val", "c4\nc5"), ("test", "c6\nc7")] {
            tree.text(&format!("lists/{list}.txt"), classes);
        }
    }

    fn episodes(exam: &Exam) -> Vec<Episode> {
        (0..exam.len()).map(|number| exam.episode(number).unwrap()).collect()
    }

    /// How often each class is asked, by its number; those of a novel side count on from the known one's.
    fn asked_of(exam: &Exam) -> Vec<(usize, usize)> {
        let classes: Vec<usize> = episodes(exam).iter().map(|episode| episode.class).collect();
        let distinct: BTreeSet<usize> = classes.iter().copied().collect();
        distinct.into_iter().map(|class| (class, classes.iter().filter(|&&other| other == class).count())).collect()
    }

    fn settings(tree: &Tree) -> Settings {
        let mut settings = Settings { drawn: 0.0, held_out_episodes: 10, ..tiny() };
        settings.data[0].root = tree.root().to_owned();
        settings
    }

    fn classes(collection: &Collection) -> Vec<String> {
        collection.classes.iter().map(|class| class.name.clone()).collect()
    }

    fn held_out_of(collection: Collection, settings: &Settings) -> (Collection, Collection) {
        let (mut kept, mut held) = hold_out(vec![collection], settings);
        (kept.remove(0), held.remove(0))
    }

    #[test]
    fn one_class_in_eight_is_held_out_and_not_learned_from() {
        let tree = tree();
        let settings = settings(&tree);
        let all = open(&settings.data[0], Split::Train, &settings).unwrap();
        let (kept, held) = held_out_of(all, &settings);
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
        let (kept, held) = held_out_of(all, &settings);
        assert_eq!(classes(&held), ["c1", "c2"]);
        assert_eq!(classes(&kept), ["c0", "c4", "c5", "c6", "c7"]);
        assert_eq!(asked_of(&Material::open(&settings).unwrap().held_out), [(1, 5), (2, 5)]);
    }

    #[test]
    fn classes_of_several_data_sets_are_not_mixed_up() {
        let trees = [tree(), tree()];
        let mut settings = Settings { held_out_episodes: 4, ..settings(&trees[0]) };
        let second = DataSet { root: trees[1].root().to_owned(), ..settings.data[0].clone() };
        settings.data.push(second);
        // One class is held out of each; both data sets have classes of the same names and numbers.
        let material = Material::open(&settings).unwrap();
        assert_eq!((material.held_out_classes.len(), asked_of(&material.held_out).len()), (2, 2));
    }

    #[test]
    fn a_class_that_is_held_out_of_one_data_set_is_learned_from_no_other() {
        // The second has too few classes to spare any by itself, and one more than the first.
        let trees = [tree(), Tree::new()];
        ["c0", "c1", "c2", "c3", "d"].iter().for_each(|class| pictures(&trees[1], class, 2));
        for seed in 0..16 {
            let mut settings = settings(&trees[0]);
            settings.start.seed = seed;
            let all = trees.each_ref().map(|tree| {
                let set = DataSet { root: tree.root().to_owned(), ..settings.data[0].clone() };
                open(&set, Split::Train, &settings).unwrap()
            });
            let (kept, held) = hold_out(all.into(), &settings);
            let learned: Vec<String> = kept.iter().flat_map(classes).collect();
            assert!(classes(&held[0]).iter().all(|name| !learned.contains(name)), "{learned:?}");
        }
    }

    #[test]
    fn novel_classes_are_asked_alike_and_no_picture_more_than_twice() {
        let tree = tree();
        split(&tree);
        let novel = |novel_episodes| {
            let settings = Settings { novel_episodes, ..settings(&tree) };
            Material::open(&settings).unwrap().novel
        };
        assert_eq!(asked_of(&novel(Some(6))), [(10, 3), (11, 3)]);
        for all in [None, Some(1000)] {
            assert_eq!(asked_of(&novel(all)), [(10, 8), (11, 4)]);
        }
        let exam = novel(None);
        let asked = |query| exam.draws().iter().filter(|draw| draw.class == 0 && draw.query == query).count();
        assert_eq!([0, 1, 2, 3].map(asked), [2; 4]);
    }

    #[test]
    fn published_weights_are_chosen_by_the_published_episodes_of_the_validation_side() {
        let tree = tree();
        split(&tree);
        let mut settings = Settings { novel_episodes: None, ..settings(&tree) };
        settings.recipe.select = Select::Test;
        let material = Material::open(&settings).unwrap();
        let published = open(&settings.data[0], Split::Validation, &settings).unwrap();
        let published = published.draws(Protocol::Hsnet, 1, None, 0).unwrap();
        assert_eq!(asked_of(&material.novel), [(8, 2), (9, 2)]);
        assert!(material.novel.draws().into_iter().eq(&published));
    }

    #[test]
    fn one_list_has_no_novel_side() {
        let tree = tree();
        tree.text("mine.txt", "c0\nc1\nc2");
        let mut settings = settings(&tree);
        settings.data[0].lists = Some(tree.root().join("mine.txt"));
        assert!(Material::open(&settings).unwrap().novel.is_empty());
    }

    #[test]
    fn everything_that_is_wrong_with_all_data_sets_is_said_at_once() {
        let trees = [tree(), tree()];
        let mut settings = settings(&trees[0]);
        settings.data.push(DataSet { root: trees[1].root().to_owned(), ..settings.data[0].clone() });
        split(&trees[0]);
        // On the novel side of the first, and on the known side of the second.
        fs::remove_file(trees[0].root().join("c7/1.png")).unwrap();
        fs::remove_file(trees[1].root().join("c2/2.png")).unwrap();
        let error = Material::open(&settings).err().unwrap().to_string();
        assert!(error.contains("c7") && error.contains("c2"), "{error}");

        settings.skip_missing = true;
        let material = Material::open(&settings).unwrap();
        assert_eq!(material.left_out.len(), 2, "{:?}", material.left_out);
        assert!(material.left_out[0].contains(": 1 files and lines"), "{:?}", material.left_out);
        assert!(material.description.ends_with("(1 files and lines left out)"), "{}", material.description);
    }

    #[test]
    fn a_validation_has_the_shots_of_the_training() {
        let tree = tree();
        let mut settings = settings(&tree);
        settings.recipe.shots = 3;
        let material = Material::open(&settings).unwrap();
        let held_out = episodes(&material.held_out).into_iter();
        let episodes = held_out.chain([material.training.draw(0, &mut stream(0, 0)).unwrap()]);
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
        for (once, again) in episodes(&once.held_out).iter().zip(episodes(&again.held_out)) {
            assert_eq!(once.query, again.query);
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
