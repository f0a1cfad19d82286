//! Pictures of one's own: `images/` and `masks/` with the same file stems, either straight inside (each picture then
//! stands for itself, and is found again in an altered copy) or in one folder per class on both sides; or class folders
//! in which NAME.png is the mask of NAME.jpg. All of it is there to learn from, none to be tested on.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    Collection, DataError, Format, Selection, Split,
    files::{Annotation, Files},
    listing::{Listed, Listing},
};

const PICTURES: [&str; 4] = ["jpg", "jpeg", "png", "webp"];

/// Whether there are `images/` and `masks/`.
pub(super) fn has_two_sides(root: &Path) -> bool {
    root.join("images").is_dir() && root.join("masks").is_dir()
}

/// Whether some folder holds a picture and its mask.
pub(super) fn has_class_folders(root: &Path) -> bool {
    let is_pair = |picture: &PathBuf| picture.with_extension("png").is_file();
    let holds_pair = |folder: &PathBuf| photographs(folder).is_ok_and(|pictures| pictures.iter().any(is_pair));
    subfolders(root).is_ok_and(|folders| folders.iter().any(holds_pair))
}

pub(super) fn open(root: &Path, selection: &Selection) -> Result<Collection, DataError> {
    let mut listing = Listing::new(Format::Folder, vec![]);
    let two_sides = has_two_sides(root);
    if selection.split == Split::Train {
        match two_sides {
            true => list_two_sides(root, &mut listing)?,
            false => list_class_folders(root, &mut listing)?,
        }
    }
    let masks = two_sides.then(|| root.join("masks"));
    listing.open(root, selection, |listed| Ok(pair(root, masks.as_deref(), listed)))
}

fn list_two_sides(root: &Path, listing: &mut Listing) -> Result<(), DataError> {
    let images = root.join("images");
    for picture in pictures(&images)? {
        listing.add_class(stem(&picture), [relative(root, &picture)]);
    }
    for folder in subfolders(&images)? {
        listing.add_class(stem(&folder), pictures(&folder)?.iter().map(|picture| relative(root, picture)));
    }
    Ok(())
}

fn list_class_folders(root: &Path, listing: &mut Listing) -> Result<(), DataError> {
    for folder in subfolders(root)? {
        listing.add_class(stem(&folder), photographs(&folder)?.iter().map(|picture| relative(root, picture)));
    }
    Ok(())
}

/// A picture with its mask: the file of the same stem in the same folder under `masks`, a PNG if there is none yet; or
/// the PNG beside it.
fn pair(root: &Path, masks: Option<&Path>, listed: &Listed) -> Files {
    let picture = root.join(&listed.name);
    let mask = match (masks, Path::new(&listed.name).strip_prefix("images")) {
        (Some(masks), Ok(inside)) => {
            let candidates = PICTURES.map(|extension| masks.join(inside).with_extension(extension));
            let there = candidates.into_iter().find(|mask| mask.is_file());
            there.unwrap_or_else(|| masks.join(inside).with_extension("png"))
        }
        _ => picture.with_extension("png"),
    };
    Files { name: listed.name.clone(), picture, annotation: Annotation::Object(mask) }
}

/// The picture files straight inside a folder, sorted.
pub(super) fn pictures(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    entries(folder, |path| PICTURES.iter().any(|known| has_extension(path, known)) && path.is_file())
}

/// The picture files straight inside a folder in which PNG files are masks, sorted.
pub(super) fn photographs(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut pictures = pictures(folder)?;
    pictures.retain(|picture| !has_extension(picture, "png"));
    Ok(pictures)
}

/// The folders straight inside a folder, sorted.
pub(super) fn subfolders(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    entries(folder, |path| path.is_dir())
}

/// What is straight inside a folder, sorted.
pub(super) fn entries(folder: &Path, keep: impl Fn(&Path) -> bool) -> Result<Vec<PathBuf>, DataError> {
    let unreadable = |source| DataError::unreadable(folder, source);
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

/// Whether the file name ends in `.` and `extension`, in small letters or large.
pub(super) fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

/// The file name without its extension.
pub(super) fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// The path from `root` on, with slashes.
pub(super) fn relative(root: &Path, path: &Path) -> String {
    let parts = path.strip_prefix(root).unwrap_or(path).iter();
    parts.map(|part| part.to_string_lossy()).collect::<Vec<_>>().join("/")
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

    #[test]
    fn class_folders_may_hold_pairs_of_any_name() {
        let tree = Tree::new();
        for name in ["left", "right"] {
            tree.picture(&format!("cup/{name}.jpg"), 2, 1);
            tree.grey(&format!("cup/{name}.png"), 2, &[0, 1]);
        }
        assert_eq!(Format::detect(tree.root()).unwrap(), Format::Folder);
        let read = open(tree.root(), &selection(Split::Train)).unwrap();
        assert_eq!((read.classes[0].name.as_str(), read.classes[0].len()), ("cup", 2));
        assert_eq!(read.picture_name(&read.classes[0], 1), "cup/right.jpg");
        assert_eq!(read.episode(&read.classes[0], &[0], 1).unwrap().query.mask.values, [0, 1]);
    }
}
