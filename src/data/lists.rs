//! The lists by which published code splits data sets, read as they are published.
//!
//! HSNet's: a line `IMAGE__CC` of a picture and a class counted from 1, or, for COCO-20i, a file of
//! `{class: [path, ...]}` with classes counted from 0 (its pickles, written out as JSON). PFENet's and BAM's: a line
//! `PATH LABELS`, or one Python literal `{class: [(path, labels), ...], ...}` with classes counted from 1. A line may
//! also be a bare name.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{DataError, Selection, Split, listing::Listed, literal};

pub(super) const FOLDS: usize = 4;

/// A data set that the published code divides into folds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Benchmark {
    Pascal,
    Coco,
}

impl Benchmark {
    /// What the folders of its lists are called.
    fn name(self) -> &'static str {
        match self {
            Self::Pascal => "pascal",
            Self::Coco => "coco",
        }
    }

    /// How many classes its lists count.
    pub fn classes(self) -> usize {
        match self {
            Self::Pascal => 20,
            Self::Coco => 80,
        }
    }

    /// The fold in which a class, counted from 0, is novel.
    pub fn fold(self, class: usize) -> usize {
        match self {
            Self::Pascal => class * FOLDS / self.classes(),
            Self::Coco => class % FOLDS,
        }
    }

    /// Which of HSNet's lists of training pictures to learn from. PASCAL-5i's list a fold's own classes, COCO-20i's
    /// those to learn from when the fold is novel.
    fn learns_from(self, list: usize, novel: Option<usize>) -> bool {
        match self {
            Self::Pascal => novel != Some(list),
            Self::Coco => novel.is_none_or(|novel| novel == list),
        }
    }
}

/// Where a list does not say what a picture shows, its classes of at least this many pixels count, as PFENet's.
pub(super) const LEAST_AREA: usize = 2 * 32 * 32;

/// A picture, and the class that the list says it shows, counted from 0.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub listed: Listed,
    pub class: Option<usize>,
}

/// What lists say, one after another.
#[derive(Debug, Default)]
pub(super) struct Lists {
    pub entries: Vec<Entry>,
    /// Of each line that fits nothing, what is wrong.
    pub problems: Vec<String>,
}

/// Reads lists over `classes` classes.
///
/// # Errors
/// When a file cannot be read at all.
pub(super) fn read(lists: &[PathBuf], classes: usize) -> Result<Lists, DataError> {
    let mut said = Lists::default();
    for list in lists {
        said.read(list, classes)?;
    }
    Ok(said)
}

impl Lists {
    fn read(&mut self, list: &Path, classes: usize) -> Result<(), DataError> {
        let text = fs::read_to_string(list).map_err(|source| unreadable(list, source))?;
        let at = |line: usize| format!("{}: line {line}", list.display());
        let mut take = |line: usize, entry: Result<Entry, String>| match entry {
            Ok(mut entry) => {
                entry.listed.origin = Some(at(line));
                self.entries.push(entry);
            }
            Err(problem) => self.problems.push(format!("{} {problem}", at(line))),
        };
        if text.trim_start().starts_with('{') {
            for item in literal::parse(&text).map_err(|problem| DataError::layout(list, problem))? {
                take(item.line, named(item, classes));
            }
        } else {
            for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
                take(number + 1, entry(line.trim(), classes));
            }
        }
        Ok(())
    }
}

/// HSNet publishes COCO-20i's lists as pickles, which are programs.
fn unreadable(list: &Path, source: io::Error) -> DataError {
    let pickle = list.with_extension("pkl");
    match pickle.is_file() {
        true => DataError::layout(
            pickle,
            "a pickle of Python's, which is not read: write it out beside it as JSON, by python -c \"import json, \
             pickle; json.dump(pickle.load(open('fold0.pkl', 'rb')), open('fold0.json', 'w'))\" for each fold",
        ),
        false => DataError::unreadable(list, source),
    }
}

fn entry(line: &str, classes: usize) -> Result<Entry, String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (name, labels, class) = match (words.as_slice(), line.rsplit_once("__")) {
        (&[picture, labels], _) => (picture, Some(labels.to_owned()), None),
        (&[_], Some((picture, class))) => match class.parse::<usize>() {
            Ok(class) if (1..=classes).contains(&class) => (picture, None, Some(class - 1)),
            _ => return Err(unfit(line, classes)),
        },
        (&[picture], None) => (picture, None, None),
        _ => return Err(unfit(line, classes)),
    };
    Ok(Entry { listed: Listed { name: name.to_owned(), labels, origin: None }, class })
}

fn unfit(line: &str, classes: usize) -> String {
    format!(
        "is {line:?}, expected a picture and a class from 01 to {classes}, such as 2007_000033__01, or the paths of a \
         picture and of its labels"
    )
}

/// With labels it is PFENet's, which counts from 1 and leaves 0 to the background.
fn named(item: literal::Item, classes: usize) -> Result<Entry, String> {
    let first = usize::from(item.labels.is_some());
    match item.class.checked_sub(first).filter(|&class| class < classes) {
        Some(class) => {
            let listed = Listed { name: item.picture, labels: item.labels, origin: None };
            Ok(Entry { listed, class: Some(class) })
        }
        None => Err(format!(
            "has {} under class {}, expected a class from {first} to {}",
            item.picture,
            item.class,
            classes - 1 + first
        )),
    }
}

/// The lists of the selected side, in the folder or file that the selection names or where they lie in the tree:
/// `lists/` or `splits/NAME/`. `None` where there are none.
///
/// # Errors
/// When there is no such fold, or the selection names a place without lists.
pub(super) fn find(
    root: &Path,
    benchmark: Benchmark,
    selection: &Selection,
) -> Result<Option<Vec<PathBuf>>, DataError> {
    if let Some(fold) = selection.fold.filter(|&fold| fold >= FOLDS) {
        return Err(DataError::layout(root, format!("it has folds 0 to 3, there is no fold {fold}")));
    }
    let Some(given) = &selection.lists else {
        return Ok(places(root, benchmark.name()).iter().find_map(|place| side(place, benchmark, selection)));
    };
    if selection.lists_one_side() {
        return Ok(Some(vec![given.clone()]));
    }
    let places = [given.clone(), given.join(benchmark.name())];
    let lists = places.iter().find_map(|place| side(place, benchmark, selection));
    lists.map(Some).ok_or_else(|| DataError::layout(given, missing(selection)))
}

/// Where lists lie in a tree.
pub(super) fn places(root: &Path, name: &str) -> [PathBuf; 3] {
    [root.join("lists"), root.join("lists").join(name), root.join("splits").join(name)]
}

/// What to say where no list is found.
pub(super) fn missing(selection: &Selection) -> String {
    let (hsnet, pfenet) = directories(selection.split);
    format!(
        "there are no lists of this data set: {hsnet}/fold{{0..3}}.txt (or .json; HSNet), or \
         fss_list/{pfenet}/sub_class_file_list_{{0..3}}.txt (PFENet, BAM)"
    )
}

/// What HSNet and PFENet call the folders of a side.
fn directories(split: Split) -> (&'static str, &'static str) {
    match split {
        Split::Train => ("trn", "train"),
        Split::Validation | Split::Test => ("val", "val"),
    }
}

/// The lists of a side in one folder.
fn side(folder: &Path, benchmark: Benchmark, selection: &Selection) -> Option<Vec<PathBuf>> {
    let (hsnet, pfenet) = directories(selection.split);
    if folder.join(hsnet).is_dir() {
        let folds = (0..FOLDS).filter(|&fold| match selection.split {
            Split::Train => benchmark.learns_from(fold, selection.fold),
            Split::Validation | Split::Test => selection.fold == Some(fold),
        });
        return Some(folds.map(|fold| hsnet_list(&folder.join(hsnet), fold)).collect());
    }
    let folds = selection.fold.into_iter().flat_map(|fold| {
        let names = [format!("sub_class_file_list_{fold}.txt"), format!("data_list_{fold}.txt")];
        names.map(|name| folder.join("fss_list").join(pfenet).join(name))
    });
    let whole = match selection.split {
        Split::Train => ["voc_sbd_merge_noduplicate.txt", "train_data_list.txt"],
        Split::Validation | Split::Test => ["val.txt", "val_data_list.txt"],
    };
    let mut lists = folds.chain(whole.map(|name| folder.join(name)));
    lists.find(|list| list.is_file()).map(|list| vec![list])
}

/// A fold's list, as text or as JSON.
fn hsnet_list(folder: &Path, fold: usize) -> PathBuf {
    let json = folder.join(format!("fold{fold}.json"));
    if json.is_file() { json } else { folder.join(format!("fold{fold}.txt")) }
}

/// The file under `root` that the longest ending of `path` leads to: what comes before is where the author of the list
/// had the data.
pub(super) fn under(root: &Path, path: &str) -> Result<PathBuf, String> {
    let parts: Vec<&str> = path.split(['/', '\\']).filter(|part| !["", ".", ".."].contains(part)).collect();
    let endings = (0..parts.len()).map(|first| root.join(parts[first..].join("/")));
    endings.into_iter().find(|file| file.is_file()).ok_or_else(|| format!("{path}: no such file in {}", root.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::fixture::Tree;

    /// The names, classes and problems of a list over three classes.
    fn read_text(text: &str) -> (Vec<(String, Option<usize>)>, Vec<String>) {
        let tree = Tree::new();
        tree.text("list.txt", text);
        let root = format!("{}/", tree.root().display());
        let said = read(&[tree.root().join("list.txt")], 3).unwrap();
        let entries = said.entries.into_iter().map(|entry| (entry.listed.name, entry.class));
        (entries.collect(), said.problems.iter().map(|problem| problem.replace(&root, "")).collect())
    }

    #[test]
    fn lines_of_each_kind_are_read() {
        let (entries, problems) = read_text("2007_000033__01\r\n\nval/a.jpg__03\nJ/b.jpg L/b.png\n2008_000001\n");
        let expected = [("2007_000033", Some(0)), ("val/a.jpg", Some(2)), ("J/b.jpg", None), ("2008_000001", None)];
        assert_eq!(entries, expected.map(|(name, class)| (name.to_owned(), class)));
        assert!(problems.is_empty(), "{problems:?}");
    }

    #[test]
    fn classes_count_from_nought_without_labels_and_from_one_with() {
        assert_eq!(read_text("{\"0\": [\"a\"], \"2\": [\"b\"]}").0, [("a".into(), Some(0)), ("b".into(), Some(2))]);
        assert_eq!(read_text("{1: [('a', 'x')], 3: [('b', 'y')]}").0, [("a".into(), Some(0)), ("b".into(), Some(2))]);
    }

    #[test]
    fn lines_that_fit_nothing_are_named_and_the_rest_is_read() {
        let (entries, problems) = read_text("a__00\nb__01\none two three\nc__04\n");
        assert_eq!(entries, [("b".to_owned(), Some(0))]);
        let starts = ["line 1 is \"a__00\",", "line 3 is \"one two three\",", "line 4 is \"c__04\","];
        for (problem, start) in problems.iter().zip(starts) {
            assert!(problem.starts_with(&format!("list.txt: {start}")), "{problem}");
        }
        assert_eq!(problems.len(), 3);
        let (_, problems) = read_text("{0: [('a', 'x')],\n 4: [('b', 'y')]}");
        assert_eq!(
            problems,
            [
                "list.txt: line 1 has a under class 0, expected a class from 1 to 3",
                "list.txt: line 2 has b under class 4, expected a class from 1 to 3"
            ]
        );
    }

    #[test]
    fn one_file_lists_one_side_and_a_folder_all() {
        let tree = Tree::new();
        tree.text("list.txt", "");
        let given = |place: &str| Selection { lists: Some(tree.root().join(place)), ..Selection::new(Split::Train) };
        assert!(given("list.txt").lists_one_side());
        assert!(!given("").lists_one_side() && !given("lost.txt").lists_one_side());
        assert!(!Selection::new(Split::Train).lists_one_side());
    }

    #[test]
    fn of_a_pickle_it_is_said_what_to_do() {
        let tree = Tree::new();
        tree.text("val/fold1.pkl", "");
        let selection = Selection { fold: Some(1), ..Selection::new(Split::Test) };
        let lists = side(tree.root(), Benchmark::Coco, &selection).unwrap();
        let error = read(&lists, 80).unwrap_err().to_string();
        assert!(error.contains("fold1.pkl: a pickle of Python's, which is not read"), "{error}");
    }

    #[test]
    fn the_longest_ending_that_is_there_is_meant() {
        let tree = Tree::new();
        tree.text("JPEGImages/a.jpg", "");
        tree.text("a.jpg", "");
        let found = |path: &str| under(tree.root(), path);
        assert_eq!(found("../data/Pascal-5i/JPEGImages/a.jpg").unwrap(), tree.root().join("JPEGImages/a.jpg"));
        assert_eq!(found("C:\\data\\JPEGImages\\a.jpg").unwrap(), tree.root().join("JPEGImages/a.jpg"));
        assert_eq!(found("/elsewhere/a.jpg").unwrap(), tree.root().join("a.jpg"));
        assert!(found("JPEGImages/b.jpg").unwrap_err().starts_with("JPEGImages/b.jpg: no such file in "));
    }
}
