//! PASCAL-5i (Shaban et al., BMVC 2017) over a tree of PASCAL VOC 2012, split by HSNet's lists or by PFENet's.
//!
//! Fold k holds classes 5k to 5k + 4. One learns from the other folds and is tested on fold k: validation and test are
//! the same, as published. A picture is learned from for each of its classes; objects of novel classes in it are
//! background.

use std::path::Path;

use super::{
    Class, Collection, DataError, Format, Selection,
    files::{Annotation, Files, read},
    folder::stem,
    labels::Labels,
    listing::{Listed, Listing},
    lists::{self, FOLDS},
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

/// Where a list does not say what a picture shows, its classes of at least this many pixels count, as PFENet's.
pub(super) const LEAST_AREA: usize = 2 * 32 * 32;

pub(super) fn open(root: &Path, selection: &Selection) -> Result<Collection, DataError> {
    listing(root, selection)?.open(root, selection, |listed| files(root, listed))
}

/// What the lists say; pictures are looked at only where the lists do not say what they show.
pub(super) fn listing(root: &Path, selection: &Selection) -> Result<Listing, DataError> {
    let classes = CLASSES.iter().enumerate().map(|(id, &name)| Class::new(id, name));
    let mut listing = Listing::new(Format::Pascal, classes.collect());
    let lists = lists::find(root, "pascal", selection)?;
    let lists = lists.ok_or_else(|| DataError::layout(root, lists::missing(selection)))?;
    listing.take(lists::read(&lists, CLASSES.len())?, |listed| shown(root, listed, selection));
    Ok(listing)
}

/// The classes of the selected side that the labels of a picture show.
fn shown(root: &Path, listed: &Listed, selection: &Selection) -> Result<Vec<usize>, String> {
    let files = files(root, listed)?;
    let Annotation::Classes(labels) = &files.annotation else {
        return Ok(vec![]);
    };
    let labels = read(labels).and_then(|bytes| Labels::decode(labels, &bytes)).map_err(|error| error.to_string())?;
    let area = |class: usize| labels.values.iter().filter(|&&value| usize::from(value) == class + 1).count();
    let classes = (0..CLASSES.len()).filter(|class| selection.takes(class * FOLDS / CLASSES.len()));
    Ok(classes.filter(|&class| area(class) >= LEAST_AREA).collect())
}

/// The files of a picture that is named by its bare name, or by a path with or without that of its labels.
fn files(root: &Path, listed: &Listed) -> Result<Files, String> {
    let name = stem(Path::new(&listed.name));
    let picture = match listed.name == name {
        true => root.join("JPEGImages").join(format!("{name}.jpg")),
        false => lists::under(root, &listed.name)?,
    };
    let labels = match &listed.labels {
        Some(labels) => lists::under(root, labels)?,
        None => root.join("SegmentationClassAug").join(format!("{name}.png")),
    };
    Ok(Files { name, picture, annotation: Annotation::Classes(labels) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{
        Split,
        fixture::{Tree, selection},
    };

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
