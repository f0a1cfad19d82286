//! FSS-1000 (Li et al., CVPR 2020): a folder per class with N.jpg beside its mask N.png.
//!
//! Where lists name class folders (`lists/{trn,val,test}.txt`, as HSNet publishes them), the selected side has those
//! classes; without lists every class is there to learn from and none to be tested on.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    Class, Collection, DataError, Format, Selection, Split,
    files::{Annotation, Files},
    folder::{photographs, relative, stem, subfolders},
    listing::{Listed, Listing},
    lists,
};

pub(super) fn looks_like(root: &Path) -> bool {
    subfolders(root).is_ok_and(|folders| folders.iter().any(|f| f.join("1.png").is_file()))
}

pub(super) fn open(root: &Path, selection: &Selection) -> Result<Collection, DataError> {
    let found = |folder: &str| -> Result<Vec<String>, String> {
        let photographs = photographs(&root.join(folder)).map_err(|error| error.to_string())?;
        Ok(photographs.iter().map(|picture| relative(root, picture)).collect())
    };
    listing(root, selection, found)?.open(root, selection, |listed| Ok(pair(root, listed)))
}

/// The classes of the selected side with the pictures that `pictures` finds in their folders, sorted.
pub(super) fn listing(
    root: &Path,
    selection: &Selection,
    pictures: impl Fn(&str) -> Result<Vec<String>, String>,
) -> Result<Listing, DataError> {
    let folders = folders(root, selection)?;
    let classes = folders.iter().map(|folder| Class::new(folder.id, &folder.name)).collect();
    let mut listing = Listing::new(Format::Fss, classes);
    for (class, folder) in folders.into_iter().enumerate() {
        match pictures(&folder.name) {
            Ok(pictures) => pictures.into_iter().for_each(|name| {
                listing.add(class, 1, Listed { name, origin: folder.origin.clone(), labels: None });
            }),
            Err(problem) => listing.problems.push(Listed { origin: folder.origin, ..Listed::default() }.blame(problem)),
        }
        // Asked in the order of their names, 1, 10, 2, but shown by their numbers: so does the published code.
        listing.order(class, number);
    }
    Ok(listing)
}

/// A class folder; `origin` is the list and line that names it.
struct Folder {
    id: usize,
    name: String,
    origin: Option<String>,
}

/// The class folders of the selected side, sorted. Ids go on from side to side, as published.
fn folders(root: &Path, selection: &Selection) -> Result<Vec<Folder>, DataError> {
    let (list, before) = match list(root, selection)? {
        Some(list) => list,
        None if selection.split == Split::Train => {
            let folders = subfolders(root)?.into_iter().enumerate();
            return Ok(folders
                .map(|(id, folder)| Folder { id, name: relative(root, &folder), origin: None })
                .collect());
        }
        None => return Ok(vec![]),
    };
    let mut first = 0;
    for list in before {
        first += lines(&list)?.len();
    }
    let mut folders = lines(&list)?;
    folders.sort_by(|(_, one), (_, other)| one.cmp(other));
    let folders = folders.into_iter().enumerate().map(|(place, (line, name))| {
        let origin = Some(format!("{}: line {line}", list.display()));
        Folder { id: first + place, name, origin }
    });
    Ok(folders.collect())
}

/// The list of the selected side, and those of the sides before it.
fn list(root: &Path, selection: &Selection) -> Result<Option<(PathBuf, Vec<PathBuf>)>, DataError> {
    let (before, list) = match selection.split {
        Split::Train => (&[][..], "trn.txt"),
        Split::Validation => (&["trn.txt"][..], "val.txt"),
        Split::Test => (&["trn.txt", "val.txt"][..], "test.txt"),
    };
    let places = match &selection.lists {
        Some(file) if selection.lists_one_side() => return Ok(Some((file.clone(), vec![]))),
        Some(folder) => vec![folder.clone(), folder.join("fss")],
        None => lists::places(root, "fss").to_vec(),
    };
    let Some(place) = places.iter().find(|place| place.join(list).is_file()) else {
        return match &selection.lists {
            Some(given) => Err(DataError::layout(given, format!("there is no {list}, a list of class folders"))),
            None => Ok(None),
        };
    };
    let before = before.iter().map(|list| place.join(list)).filter(|list| list.is_file());
    Ok(Some((place.join(list), before.collect())))
}

/// The lines of a list that say something, with their numbers.
fn lines(list: &Path) -> Result<Vec<(usize, String)>, DataError> {
    let text = fs::read_to_string(list).map_err(|source| DataError::unreadable(list, source))?;
    let lines = text.lines().enumerate().map(|(number, line)| (number + 1, line.trim().to_owned()));
    Ok(lines.filter(|(_, line)| !line.is_empty()).collect())
}

/// A picture `class/N.jpg` and its mask `class/N.png`.
fn pair(root: &Path, listed: &Listed) -> Files {
    let picture = root.join(&listed.name);
    let annotation = Annotation::Object(picture.with_extension("png"));
    Files { name: listed.name.clone(), picture, annotation }
}

/// The number that a picture has for a name; other names come behind.
fn number(picture: &str) -> (u64, String) {
    (stem(Path::new(picture)).parse().unwrap_or(u64::MAX), picture.to_owned())
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

    #[test]
    fn ids_go_on_from_side_to_side() {
        let tree = tree();
        tree.text("lists/trn.txt", "ant\n");
        tree.text("lists/val.txt", "bee\n");
        let id = |split| open(tree.root(), &selection(split)).unwrap().classes[0].id;
        assert_eq!([id(Split::Train), id(Split::Validation)], [0, 1]);
    }

    #[test]
    fn a_missing_folder_is_named_with_list_and_line() {
        let tree = tree();
        tree.text("lists/trn.txt", "ant\ncow\n");
        let error = open(tree.root(), &selection(Split::Train)).unwrap_err().to_string();
        assert!(error.contains("lists/trn.txt: line 2: ") && error.contains("cow: "), "{error}");
        let skipping = Selection { skip_missing: true, ..selection(Split::Train) };
        let read = open(tree.root(), &skipping).unwrap();
        assert_eq!((read.classes.len(), read.skipped()), (1, 1));
    }
}
