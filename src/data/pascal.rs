//! PASCAL-5i (Shaban et al., BMVC 2017) over a tree of PASCAL VOC 2012, split by HSNet's lists or by PFENet's.
//!
//! Fold k holds classes 5k to 5k + 4. One learns from the other folds and is tested on fold k: validation and test are
//! the same, as published. A picture is learned from for each of its classes; objects of novel classes in it are
//! background.

use std::path::Path;

use super::{
    Class, Collection, DataError, Format, Selection,
    files::{Annotation, Files, decode},
    folder::stem,
    listing::{Listed, Listing},
    lists::{self, Benchmark, LEAST_AREA},
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

pub(super) fn open(root: &Path, selection: &Selection) -> Result<Collection, DataError> {
    listing(root, selection)?.open(root, selection, |listed| files(root, listed))
}

/// What the lists say; pictures are looked at only where the lists do not say what they show.
pub(super) fn listing(root: &Path, selection: &Selection) -> Result<Listing, DataError> {
    let classes = CLASSES.iter().enumerate().map(|(id, &name)| Class::new(id, name));
    let mut listing = Listing::new(Format::Pascal, classes.collect());
    let lists = lists::find(root, Benchmark::Pascal, selection)?;
    let lists = lists.ok_or_else(|| DataError::layout(root, lists::missing(selection)))?;
    let takes = |class| selection.takes(Benchmark::Pascal.fold(class));
    listing.take(lists::read(&lists, CLASSES.len())?, takes, |listed| shown(root, listed));
    Ok(listing)
}

/// The classes that the labels of a picture show large enough.
fn shown(root: &Path, listed: &Listed) -> Result<Vec<usize>, String> {
    let files = files(root, listed)?;
    let Annotation::Classes(labels) = &files.annotation else {
        return Ok(vec![]);
    };
    let labels = decode(labels).map_err(|error| error.to_string())?;
    let area = |class: usize| labels.values.iter().filter(|&&value| usize::from(value) == class + 1).count();
    Ok((0..CLASSES.len()).filter(|&class| area(class) >= LEAST_AREA).collect())
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
    fn classes_of_the_other_side_are_left_out_of_a_list() {
        let tree = tree();
        tree.text("lists/trn/fold1.txt", "both__01\nboth__06\nbus__06\n");
        assert_eq!(members(&open(tree.root(), &selection(Split::Train)).unwrap()), [(5, vec!["both", "bus"])]);
        tree.text("lists/val/fold0.txt", "both__01\nboth__06\n");
        assert_eq!(members(&open(tree.root(), &selection(Split::Test)).unwrap()), [(0, vec!["both"])]);
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

    #[test]
    fn a_missing_file_is_named_with_list_and_line() {
        let tree = tree();
        tree.text("lists/trn/fold2.txt", "\nlost__12\n");
        let error = open(tree.root(), &selection(Split::Train)).unwrap_err().to_string();
        assert!(error.contains("lists/trn/fold2.txt: line 2: "), "{error}");
    }

    #[test]
    fn what_is_missing_is_skipped_and_counted_where_asked() {
        let tree = tree();
        tree.text("lists/trn/fold2.txt", "lost__12\nboth__12\nboth__99\n");
        let skipping = Selection { skip_missing: true, ..selection(Split::Train) };
        let read = open(tree.root(), &skipping).unwrap();
        assert_eq!(read.skipped(), 2);
        let sizes: Vec<_> = read.classes.iter().map(|class| (class.name.as_str(), class.len())).collect();
        assert_eq!(sizes, [("bus", 2), ("dog", 1)]);
        let bus = &read.classes[0];
        assert_eq!([read.picture_name(bus, 0), read.picture_name(bus, 1)], ["both", "bus"]);
        assert_eq!(read.episode(bus, &[0], 1).unwrap().query.mask.values, [1, 0]);
    }

    #[test]
    fn lists_may_lie_elsewhere() {
        let (tree, elsewhere) = (tree(), Tree::new());
        elsewhere.text("pascal/val/fold0.txt", "bus__01\n");
        let lists = |lists: &Path| Selection { lists: Some(lists.to_owned()), ..selection(Split::Validation) };
        for place in ["", "pascal", "pascal/val/fold0.txt"] {
            let read = open(tree.root(), &lists(&elsewhere.root().join(place))).unwrap();
            assert_eq!(read.picture_name(&read.classes[0], 0), "bus");
        }
        let error = open(tree.root(), &lists(&elsewhere.root().join("nowhere"))).unwrap_err().to_string();
        assert!(error.contains("nowhere: there are no lists"), "{error}");
    }

    /// Two pictures of 64 x 64 pixels: a half of aeroplane and of bus, and a bus with a scrap of aeroplane.
    fn pfenet() -> Tree {
        let tree = Tree::new();
        for (name, aeroplane) in [("a", 2048), ("b", 2047)] {
            tree.picture(&format!("JPEGImages/{name}.jpg"), 64, 64);
            tree.grey(
                &format!("SegmentationClassAug/{name}.png"),
                64,
                &[vec![1; aeroplane], vec![6; 4096 - aeroplane]].concat(),
            );
        }
        tree
    }

    fn members(collection: &Collection) -> Vec<(usize, Vec<&str>)> {
        let names = |class: &'_ Class| (0..class.len()).map(|member| collection.picture_name(class, member)).collect();
        collection.classes.iter().map(|class| (class.id, names(class))).collect()
    }

    #[test]
    fn of_pairs_the_labels_say_what_they_show() {
        let tree = pfenet();
        let pair = |name: &str| format!("../VOC/JPEGImages/{name}.jpg ../VOC/SegmentationClassAug/{name}.png\n");
        tree.text("lists/voc_sbd_merge_noduplicate.txt", &[pair("a"), pair("b"), pair("a")].concat());
        tree.text("lists/val.txt", &[pair("a"), pair("b")].concat());
        let read = |split| open(tree.root(), &selection(split)).unwrap();
        assert_eq!(members(&read(Split::Test)), [(0, vec!["a"])]);
        assert_eq!(members(&read(Split::Train)), [(5, vec!["a", "b"])]);
        tree.text("lists/val.txt", &[pair("a"), pair("c")].concat());
        let error = open(tree.root(), &selection(Split::Test)).unwrap_err().to_string();
        assert!(error.contains("val.txt: line 2: ../VOC/JPEGImages/c.jpg: no such file"), "{error}");
    }

    #[test]
    fn a_python_literal_is_a_list() {
        let tree = pfenet();
        let pair = "('../VOC/JPEGImages/b.jpg', '../VOC/SegmentationClassAug/b.png')";
        tree.text("lists/fss_list/val/sub_class_file_list_0.txt", &format!("{{1: [{pair}], 2: []}}"));
        let read = open(tree.root(), &selection(Split::Test)).unwrap();
        assert_eq!(members(&read), [(0, vec!["b"])]);
    }
}
