//! PASCAL-5i (Shaban et al., BMVC 2017) over a tree of PASCAL VOC 2012, with the lists that HSNet
//! publishes: a line `IMAGE__CC` says that IMAGE shows class CC, counted from 1.
//!
//! Fold k holds classes 5k to 5k + 4. One learns from the `trn` lists of the three other folds and
//! is tested on the `val` list of fold k. A picture is learned from for each of its classes; objects
//! of novel classes in it are background.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use super::{
    DataError, Selection, Split,
    collection::{Class, Collection, Files, Kind},
};

const CLASSES: [&str; 20] = [
    "aeroplane",
    "bicycle",
    "bird",
    "boat",
    "bottle",
    "bus",
    "car",
    "cat",
    "chair",
    "cow",
    "diningtable",
    "dog",
    "horse",
    "motorbike",
    "person",
    "pottedplant",
    "sheep",
    "sofa",
    "train",
    "tvmonitor",
];

const FOLDS: usize = 4;

/// Where the lists may lie: beside the pictures, or in HSNet's own tree.
const LISTS: [&str; 2] = ["lists", "splits/pascal"];

pub(super) fn open(root: &Path, selection: &Selection) -> Result<Collection, DataError> {
    let mut classes: Vec<Class> = (CLASSES.iter().enumerate()).map(|(id, &name)| Class::new(id, name)).collect();
    let mut numbers = HashMap::new();
    let mut files = Vec::new();
    for list in lists(root, selection)? {
        for (image, class) in entries(&list)? {
            let scene = *numbers.entry(image).or_insert_with_key(|image| {
                files.push(pair(root, image));
                files.len() - 1
            });
            classes[class].members.push((scene, class as u8 + 1));
        }
    }
    Collection::new(root, classes, files, selection.longest_side)
}

/// The lists that make up the selected side of the split.
fn lists(root: &Path, selection: &Selection) -> Result<Vec<PathBuf>, DataError> {
    if let Some(fold) = selection.fold.filter(|&fold| fold >= FOLDS) {
        return Err(DataError::layout(root, format!("PASCAL has folds 0 to 3, there is no fold {fold}")));
    }
    let lists = (LISTS.iter().map(|place| root.join(place))).find(|place| place.is_dir()).ok_or_else(|| {
        DataError::layout(root, "it has no lists of PASCAL-5i: put them into lists/{trn,val}/fold{0..3}.txt")
    })?;
    let file = |side: &str, fold: usize| lists.join(side).join(format!("fold{fold}.txt"));
    Ok(match selection.split {
        Split::Train => (0..FOLDS).filter(|&fold| Some(fold) != selection.fold).map(|fold| file("trn", fold)).collect(),
        Split::Test => selection.fold.map(|fold| file("val", fold)).into_iter().collect(),
    })
}

/// The entries of a list: an image and its class, counted from 0.
fn entries(list: &Path) -> Result<Vec<(String, usize)>, DataError> {
    let text = fs::read_to_string(list).map_err(|source| DataError::Unreadable { path: list.to_owned(), source })?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| {
            entry(line.trim()).ok_or_else(|| {
                let problem = format!(
                    "line {} is {line:?}, expected an image and a class from 01 to 20, such as \
                     2007_000033__01",
                    number + 1
                );
                DataError::layout(list, problem)
            })
        })
        .collect()
}

fn entry(line: &str) -> Option<(String, usize)> {
    let (image, class) = line.rsplit_once("__")?;
    let class = class.parse::<usize>().ok()?.checked_sub(1)?;
    (class < CLASSES.len()).then(|| (image.to_owned(), class))
}

fn pair(root: &Path, image: &str) -> Files {
    Files {
        picture: root.join("JPEGImages").join(format!("{image}.jpg")),
        labels: root.join("SegmentationClassAug").join(format!("{image}.png")),
        kind: Kind::Classes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::fixture::{Tree, selection};

    /// Fold 0: a picture of classes 1 and 6 (one novel, one not), with an ignored outline.
    fn tree() -> Tree {
        let tree = Tree::new();
        tree.picture("JPEGImages/both.jpg", 3, 2);
        tree.grey("SegmentationClassAug/both.png", 3, &[1, 6, 255, 0, 6, 255]);
        tree.picture("JPEGImages/bus.jpg", 2, 1);
        tree.grey("SegmentationClassAug/bus.png", 2, &[6, 0]);
        tree.text("lists/trn/fold0.txt", "");
        tree.text("lists/trn/fold1.txt", "both__06\nbus__06\n");
        tree.text("lists/trn/fold2.txt", "");
        tree.text("lists/trn/fold3.txt", "");
        tree.text("lists/val/fold0.txt", "both__01\n");
        tree
    }

    #[test]
    fn one_learns_from_the_other_folds() {
        let tree = tree();
        let read = open(tree.root(), &selection(Split::Train)).unwrap();
        let names: Vec<_> = (read.classes.iter().map(|c| (c.id, c.name.as_str()))).collect();
        assert_eq!(names, [(5, "bus")]);
        let episode = read.episode(&read.classes[0], &[1], 0).unwrap();
        assert_eq!(episode.class, 5);
        assert_eq!(episode.query.mask.values, [0, 1, 0, 0, 1, 0]);
        assert_eq!(episode.supports[0].mask.values, [1, 0]);
        assert_eq!(episode.ignore.unwrap().values, [0, 0, 1, 0, 0, 1]);
    }

    #[test]
    fn one_is_tested_on_the_fold_itself() {
        let tree = tree();
        let read = open(tree.root(), &selection(Split::Test)).unwrap();
        let episode = read.episode(&read.classes[0], &[], 0).unwrap();
        assert_eq!(episode.class, 0);
        assert_eq!(episode.query.mask.values, [1, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn every_unusable_file_is_named_at_once() {
        let tree = tree();
        tree.picture("JPEGImages/bus.jpg", 5, 5);
        tree.text("lists/trn/fold2.txt", "lost__12\n");
        let error = open(tree.root(), &selection(Split::Train)).unwrap_err().to_string();
        assert!(error.contains("2 of its files"), "{error}");
        assert!(error.contains("bus.png: 2 x 1 pixels, but its picture has 5 x 5"), "{error}");
        assert!(error.contains("lost.jpg"), "{error}");
    }

    #[test]
    fn a_broken_line_is_named() {
        let tree = tree();
        tree.text("lists/trn/fold3.txt", "good__20\nbad__21\n");
        let error = open(tree.root(), &selection(Split::Train)).unwrap_err().to_string();
        assert!(error.contains("fold3.txt: line 2 is \"bad__21\""), "{error}");
    }

    #[test]
    fn there_are_four_folds() {
        let tree = tree();
        let fifth = Selection { fold: Some(4), ..selection(Split::Test) };
        let error = open(tree.root(), &fifth).unwrap_err().to_string();
        assert!(error.contains("no fold 4"), "{error}");
    }
}
