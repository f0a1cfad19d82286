//! LabelMe (Russell et al., IJCV 2008; the desktop tool of that name): NAME.json beside NAME.jpg, in the folder itself
//! or in folders inside it. Each label is a class, and a picture is there for all labels in it. All of it is there to
//! learn from, none to be tested on.

use std::{
    collections::{BTreeMap, HashMap, hash_map::Entry},
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
    sync::Arc,
};

use rayon::prelude::*;

use super::{
    Class, Collection, DataError, Format, Selection, Split,
    files::{Annotation, Files},
    folder::{entries, has_extension, pictures, relative, stem, subfolders},
    listing::{Listed, Listing},
};
use crate::annotation::{Regions, labelme::Description};

pub(super) fn looks_like(root: &Path) -> bool {
    descriptions(root).is_ok_and(|found| found.iter().any(|description| beside(description).is_some()))
}

pub(super) fn open(root: &Path, selection: &Selection) -> Result<Collection, DataError> {
    let descriptions = match selection.split {
        Split::Train => descriptions(root)?,
        Split::Validation | Split::Test => vec![],
    };
    let read: Vec<Result<Described, String>> = descriptions.par_iter().map(|path| Described::read(path)).collect();
    let mut pictures: HashMap<String, Described> = HashMap::new();
    let mut names: BTreeMap<String, Vec<(String, u8)>> = BTreeMap::new();
    let mut listing = Listing::new(Format::Labelme, vec![]);
    for (path, described) in descriptions.iter().zip(read) {
        let described = match described {
            Ok(described) => described,
            Err(problem) => {
                listing.problems.push(problem);
                continue;
            }
        };
        match pictures.entry(relative(root, &described.picture)) {
            Entry::Occupied(first) => {
                listing.problems.push(format!("{}: {} is described already", path.display(), first.key()));
            }
            Entry::Vacant(place) => {
                for (number, label) in (1..).zip(&described.labels) {
                    names.entry(label.clone()).or_default().push((place.key().clone(), number));
                }
                place.insert(described);
            }
        }
    }
    for (class, (name, members)) in names.into_iter().enumerate() {
        listing.classes.push(Class::new(class, name));
        for (name, label) in members {
            listing.add(class, label, Listed { name, ..Listed::default() });
        }
    }
    listing.open(root, selection, |listed| {
        let described = pictures.get(&listed.name).ok_or_else(|| format!("{}: it is not described", listed.name))?;
        let annotation = Annotation::Regions(described.regions.clone());
        Ok(Files { name: listed.name.clone(), picture: described.picture.clone(), annotation })
    })
}

/// The JSON files in the folder and in the folders inside it, sorted.
fn descriptions(root: &Path) -> Result<Vec<PathBuf>, DataError> {
    let json = |folder: &Path| entries(folder, |path| has_extension(path, "json") && path.is_file());
    let mut found = json(root)?;
    for folder in subfolders(root)? {
        found.extend(json(&folder)?);
    }
    Ok(found)
}

/// The picture of the same name beside a description.
fn beside(description: &Path) -> Option<PathBuf> {
    let name = stem(description);
    let beside = pictures(description.parent()?).ok()?;
    beside.into_iter().find(|picture| stem(picture) == name)
}

/// A picture with what is marked in it.
struct Described {
    picture: PathBuf,
    /// The classes in it; the first has the label 1 there.
    labels: Vec<String>,
    regions: Arc<Regions>,
}

impl Described {
    fn read(path: &Path) -> Result<Self, String> {
        let about = |problem: String| format!("{}: {problem}", path.display());
        let file = File::open(path).map_err(|error| about(error.to_string()))?;
        let description: Description = serde_json::from_reader(BufReader::new(file))
            .map_err(|error| about(format!("not a description as LabelMe writes it ({error})")))?;
        let (labels, regions) = description.regions().map_err(about)?;
        Ok(Self { picture: picture(&description.image_path, path), labels, regions: Arc::new(regions) })
    }
}

/// The picture that the description at `path` names, in its own folder or from there on, or else the one beside it.
fn picture(named: &str, path: &Path) -> PathBuf {
    let folder = path.parent().unwrap_or(Path::new(""));
    // Windows' separators too.
    let named = named.replace('\\', "/");
    let places = [folder.join(named.rsplit('/').next().unwrap_or(&named)), folder.join(&named)];
    let found = places.iter().find(|place| place.is_file()).cloned();
    found.or_else(|| beside(path)).unwrap_or_else(|| places[0].clone())
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, prelude::BASE64_STANDARD};

    use super::*;
    use crate::{
        data::fixture::{Tree, selection},
        image::Mask,
    };

    fn shape(label: &str, kind: &str, points: &[[f64; 2]]) -> serde_json::Value {
        serde_json::json!({"label": label, "shape_type": kind, "points": points, "group_id": null, "flags": {}})
    }

    fn description(picture: &str, shapes: &[serde_json::Value]) -> String {
        let file = serde_json::json!({"version": "5.4.1", "flags": {}, "shapes": shapes, "imagePath": picture,
            "imageData": null, "imageWidth": 8, "imageHeight": 4});
        file.to_string()
    }

    fn masks(read: &Collection, class: usize, member: usize) -> Vec<u8> {
        read.episode(&read.classes[class], &[], member).unwrap().query.mask.values
    }

    #[test]
    fn labels_are_classes_and_later_shapes_lie_above() {
        let tree = Tree::new();
        tree.picture("desk/a.jpg", 8, 4);
        tree.picture("b.png", 8, 4);
        let shapes = [
            shape("mug", "rectangle", &[[0.0, 0.0], [8.0, 2.0]]),
            shape("cup", "polygon", &[[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]]),
            shape("edge", "line", &[[0.0, 0.0], [4.0, 4.0]]),
        ];
        tree.text("desk/a.json", &description("..\\desk\\a.jpg", &shapes));
        tree.text("b.json", &description("moved.png", &[shape("cup", "circle", &[[2.0, 2.0], [2.0, 3.6]])]));
        assert_eq!(Format::detect(tree.root()).unwrap(), Format::Labelme);
        let read = open(tree.root(), &selection(Split::Train)).unwrap();
        let sizes: Vec<_> = read.classes.iter().map(|class| (class.name.as_str(), class.len())).collect();
        assert_eq!(sizes, [("cup", 2), ("mug", 1)]);
        assert_eq!(masks(&read, 1, 0), [[0, 0, 0, 0, 1, 1, 1, 1].repeat(2), vec![0; 16]].concat());
        assert_eq!(masks(&read, 0, 1), [1, 1, 1, 1, 0, 0, 0, 0].repeat(4));
        let disc =
            [[0, 1, 1, 0, 0, 0, 0, 0], [1, 1, 1, 1, 0, 0, 0, 0], [1, 1, 1, 1, 0, 0, 0, 0], [0, 1, 1, 0, 0, 0, 0, 0]];
        assert_eq!(read.picture_name(&read.classes[0], 0), "b.png");
        assert_eq!(masks(&read, 0, 0), disc.concat());
    }

    #[test]
    fn a_mask_is_painted_at_its_corner() {
        let tree = Tree::new();
        tree.picture("a.jpg", 8, 4);
        let png = Mask { width: 2, height: 2, values: vec![1, 0, 1, 1] }.encode("mask").unwrap();
        let mut mask = shape("cup", "mask", &[[6.0, 1.0], [7.0, 2.0]]);
        mask["mask"] = BASE64_STANDARD.encode(png).into();
        tree.text("a.json", &description("a.jpg", &[mask]));
        let read = open(tree.root(), &selection(Split::Train)).unwrap();
        let row = |right: [u8; 2]| [vec![0; 6], right.to_vec()].concat();
        assert_eq!(masks(&read, 0, 0), [row([0, 0]), row([1, 0]), row([1, 1]), row([0, 0])].concat());
    }

    #[test]
    fn of_two_descriptions_of_a_picture_the_second_cannot_be_used() {
        let tree = Tree::new();
        tree.picture("a.jpg", 8, 4);
        let half = |label: &str, left: f64| shape(label, "rectangle", &[[left, 0.0], [left + 4.0, 4.0]]);
        tree.text("a.json", &description("a.jpg", &[half("cup", 0.0), half("mug", 4.0)]));
        tree.text("b.json", &description("a.jpg", &[half("mug", 0.0), half("pot", 4.0)]));
        let error = open(tree.root(), &selection(Split::Train)).unwrap_err().to_string();
        assert!(error.contains("1 of its files"), "{error}");
        assert!(error.contains("b.json: a.jpg is described already"), "{error}");
        let skipping = Selection { skip_missing: true, ..selection(Split::Train) };
        let read = open(tree.root(), &skipping).unwrap();
        let names: Vec<_> = read.classes.iter().map(|class| class.name.as_str()).collect();
        assert_eq!((names, read.skipped()), (vec!["cup", "mug"], 1));
        assert_eq!(masks(&read, 0, 0), [1, 1, 1, 1, 0, 0, 0, 0].repeat(4));
        assert_eq!(masks(&read, 1, 0), [0, 0, 0, 0, 1, 1, 1, 1].repeat(4));
    }

    #[test]
    fn what_cannot_be_used_is_named_at_once() {
        let tree = Tree::new();
        tree.picture("small.jpg", 4, 4);
        let square = || shape("cup", "rectangle", &[[0.0, 0.0], [3.0, 3.0]]);
        tree.text("small.json", &description("small.jpg", &[square()]));
        tree.text("lost.json", &description("lost.jpg", &[square()]));
        tree.text("odd.json", &description("odd.jpg", &[shape("cup", "cuboid", &[[0.0, 0.0], [3.0, 3.0]])]));
        tree.text("other.json", "{\"a\": 1}");
        let error = open(tree.root(), &selection(Split::Train)).unwrap_err().to_string();
        for part in [
            "4 of its files",
            "small.jpg: 4 x 4 pixels, but its annotation is of 8 x 4",
            "lost.jpg: ",
            "odd.json: cup: a cuboid of 2 points cannot be drawn",
            "other.json: not a description as LabelMe writes it",
        ] {
            assert!(error.contains(part), "{part} is not in {error}");
        }
    }
}
