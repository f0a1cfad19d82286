//! Pictures of one's own: `images/` and `masks/` with the same file stems, either straight inside
//! (each picture then stands for itself, and is found again in an altered copy) or in one
//! folder per class on both sides.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    DataError, Selection, Split,
    collection::{Class, Collection, Files, Kind},
};

const PICTURES: [&str; 4] = ["jpg", "jpeg", "png", "webp"];

pub(super) fn open(root: &Path, selection: &Selection) -> Result<Collection, DataError> {
    let (images, masks) = (root.join("images"), root.join("masks"));
    let mut classes = Vec::new();
    let mut files = Vec::new();
    if selection.split == Split::Train {
        for picture in pictures(&images)? {
            let mut class = Class::new(classes.len(), stem(&picture));
            class.members.push((files.len(), 1));
            classes.push(class);
            files.push(pair(picture, &masks));
        }
        for folder in subfolders(&images)? {
            let name = stem(&folder);
            let mut class = Class::new(classes.len(), &name);
            for picture in pictures(&folder)? {
                class.members.push((files.len(), 1));
                files.push(pair(picture, &masks.join(&name)));
            }
            classes.push(class);
        }
    }
    Collection::new(root, classes, files, selection.longest_side)
}

/// A picture with its mask: the file of the same stem, a PNG if there is none yet.
fn pair(picture: PathBuf, masks: &Path) -> Files {
    let stem = stem(&picture);
    let candidates = PICTURES.iter().map(|ext| masks.join(format!("{stem}.{ext}")));
    let labels = candidates.into_iter().find(|mask| mask.is_file());
    Files { labels: labels.unwrap_or_else(|| masks.join(format!("{stem}.png"))), picture, kind: Kind::Object }
}

/// The picture files straight inside a folder, sorted.
pub(super) fn pictures(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let is_picture = |path: &PathBuf| {
        let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
        PICTURES.iter().any(|known| extension == *known) && path.is_file()
    };
    entries(folder, is_picture)
}

/// The folders straight inside a folder, sorted.
pub(super) fn subfolders(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    entries(folder, |path| path.is_dir())
}

fn entries(folder: &Path, keep: impl Fn(&PathBuf) -> bool) -> Result<Vec<PathBuf>, DataError> {
    let unreadable = |source| DataError::Unreadable { path: folder.to_owned(), source };
    let mut kept = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if keep(&path) {
            kept.push(path);
        }
    }
    kept.sort();
    Ok(kept)
}

/// The file name without its extension.
pub(super) fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{
        Format,
        fixture::{Tree, selection},
    };

    #[test]
    fn loose_pictures_stand_for_themselves() {
        let tree = Tree::new();
        tree.picture("images/a.jpg", 2, 1);
        tree.grey("masks/a.png", 2, &[0, 255]);
        tree.picture("images/b.JPG", 2, 1);
        tree.grey("masks/b.png", 2, &[255, 0]);
        assert_eq!(Format::detect(tree.root()).unwrap(), Format::Folder);
        let read = open(tree.root(), &selection(Split::Train)).unwrap();
        assert_eq!(read.classes.len(), 2);
        let episode = read.episode(&read.classes[1], &[0], 0).unwrap();
        assert_eq!(episode.query.mask.values, [1, 0]);
    }

    #[test]
    fn folders_are_classes() {
        let tree = Tree::new();
        for name in ["1", "2"] {
            tree.picture(&format!("images/cup/{name}.jpg"), 1, 1);
            tree.grey(&format!("masks/cup/{name}.png"), 1, &[1]);
        }
        let read = open(tree.root(), &selection(Split::Train)).unwrap();
        assert_eq!((read.classes[0].name.as_str(), read.classes[0].len()), ("cup", 2));
    }

    #[test]
    fn a_missing_mask_is_named() {
        let tree = Tree::new();
        tree.picture("images/a.jpg", 2, 1);
        tree.text("masks/readme.txt", "");
        let error = open(tree.root(), &selection(Split::Train)).unwrap_err().to_string();
        assert!(error.contains("a.png"), "{error}");
    }
}
