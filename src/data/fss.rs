//! FSS-1000 (Li et al., CVPR 2020): a folder per class with N.jpg beside its mask N.png.
//!
//! Where `lists/{trn,test}.txt` or `splits/fss/{trn,test}.txt` name class folders, the selected side
//! has those classes; without lists every class is there to learn from and none to be tested on.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    DataError, Selection, Split,
    collection::{Class, Collection, Files, Kind},
    folder::{self, subfolders},
};

const LISTS: [&str; 2] = ["lists", "splits/fss"];

pub(super) fn looks_like(root: &Path) -> bool {
    subfolders(root).is_ok_and(|folders| folders.iter().any(|f| f.join("1.png").is_file()))
}

pub(super) fn open(root: &Path, selection: &Selection) -> Result<Collection, DataError> {
    let mut classes = Vec::new();
    let mut files = Vec::new();
    for (id, folder) in folders(root, selection.split)?.into_iter().enumerate() {
        let mut class = Class::new(id, folder::stem(&folder));
        for picture in folder::pictures(&folder)? {
            if picture.extension().is_some_and(|extension| extension == "png") {
                continue;
            }
            class.members.push((files.len(), 1));
            files.push(Files { labels: picture.with_extension("png"), picture, kind: Kind::Object });
        }
        classes.push(class);
    }
    Collection::new(root, classes, files, selection.longest_side)
}

/// The class folders of one side of the split, sorted.
fn folders(root: &Path, split: Split) -> Result<Vec<PathBuf>, DataError> {
    let list = match split {
        Split::Train => "trn.txt",
        Split::Test => "test.txt",
    };
    let list = (LISTS.iter().map(|place| root.join(place).join(list))).find(|list| list.is_file());
    let Some(list) = list else {
        return match split {
            Split::Train => subfolders(root),
            Split::Test => Ok(Vec::new()),
        };
    };
    let text = fs::read_to_string(&list).map_err(|source| DataError::Unreadable { path: list, source })?;
    let mut folders: Vec<PathBuf> =
        (text.lines().map(str::trim)).filter(|line| !line.is_empty()).map(|line| root.join(line)).collect();
    folders.sort();
    Ok(folders)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{
        Format,
        fixture::{Tree, selection},
    };

    fn tree() -> Tree {
        let tree = Tree::new();
        for (class, number) in [("ant", 1), ("ant", 2), ("bee", 1)] {
            tree.picture(&format!("{class}/{number}.jpg"), 2, 1);
            tree.grey(&format!("{class}/{number}.png"), 2, &[0, number]);
        }
        tree
    }

    #[test]
    fn folders_are_classes() {
        let tree = tree();
        assert_eq!(Format::detect(tree.root()).unwrap(), Format::Fss);
        let read = open(tree.root(), &selection(Split::Train)).unwrap();
        let sizes: Vec<_> = (read.classes.iter().map(|c| (c.name.as_str(), c.len()))).collect();
        assert_eq!(sizes, [("ant", 2), ("bee", 1)]);
        let episode = read.episode(&read.classes[0], &[0], 1).unwrap();
        assert_eq!(episode.supports[0].mask.values, [0, 1]);
        assert!(episode.ignore.is_none());
    }

    #[test]
    fn lists_choose_the_classes() {
        let tree = tree();
        tree.text("lists/trn.txt", "ant\r\n");
        tree.text("lists/test.txt", "bee\r\n");
        let test = open(tree.root(), &selection(Split::Test)).unwrap();
        assert_eq!(test.classes.len(), 1);
        assert_eq!(test.classes[0].name, "bee");
    }

    #[test]
    fn a_picture_without_a_mask_is_named() {
        let tree = tree();
        tree.picture("bee/2.jpg", 2, 1);
        let error = open(tree.root(), &selection(Split::Train)).unwrap_err().to_string();
        assert!(error.contains("2.png"), "{error}");
    }
}
