//! COCO-20i (Nguyen and Todorovic, ICCV 2019) from COCO's own annotations: `annotations/instances_train2014.json` and
//! `instances_val2014.json` (or 2017's), with the pictures in `train2014/`, `val2014/` or the same under `images/`.
//!
//! Fold k holds every fourth of the 80 classes, from k on, counted in the order of COCO's own numbers. One learns from
//! the training pictures of the other classes and is tested on the validation pictures of the fold's. HSNet's or
//! PFENet's lists choose the pictures; without lists, a class's pictures are those in which its single objects, as the
//! annotations measure them, have at least 2048 pixels.
//!
//! A pixel has one label. Crowds belong to their class and are painted first; single objects are painted over them and
//! over one another, in the order of the file.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs::File,
    io::BufReader,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Class, Collection, DataError, Format, Selection, Split,
    files::{Annotation, Files},
    folder::stem,
    listing::{Listed, Listing},
    lists::{self, Benchmark, FOLDS, LEAST_AREA, Lists},
};
use crate::annotation::{
    IGNORED, Regions,
    coco::{Instance, Instances, base},
};

/// The editions, the one of the published splits first.
const YEARS: [&str; 2] = ["2014", "2017"];

pub(super) fn looks_like(root: &Path) -> bool {
    YEARS.iter().flat_map(|year| parts(year)).any(|part| instances(root, &part).is_file())
}

pub(super) fn open(root: &Path, selection: &Selection) -> Result<Collection, DataError> {
    let lists = lists::find(root, Benchmark::Coco, selection)?;
    let listed = lists.map(|lists| lists::read(&lists, Benchmark::Coco.classes())).transpose()?;
    let parts = match &listed {
        Some(lists) => parts_of_lists(root, lists, selection),
        None => part_of_side(root, selection),
    };
    let annotated = Annotated::read(root, &parts)?;
    let mut listing = listing(&annotated.classes);
    let takes = |class| selection.takes(Benchmark::Coco.fold(class));
    match listed {
        Some(lists) => listing.take(lists, takes, |listed| annotated.shown(listed)),
        None => annotated.list(&mut listing, takes),
    }
    listing.open(root, selection, |listed| annotated.files(root, listed))
}

/// The classes, which no picture shows yet.
pub(super) fn listing(names: &[String]) -> Listing {
    let classes = names.iter().enumerate().map(|(id, name)| Class::new(id, name));
    Listing::new(Format::Coco, classes.collect())
}

/// The parts of COCO of one edition.
fn parts(year: &str) -> [String; 2] {
    ["train", "val"].map(|side| format!("{side}{year}"))
}

fn instances(root: &Path, part: &str) -> PathBuf {
    root.join("annotations").join(format!("instances_{part}.json"))
}

/// The part of the selected side, of the first edition that is there. Without a fold nothing is asked, so nothing is
/// needed.
fn part_of_side(root: &Path, selection: &Selection) -> Vec<String> {
    if !(0..FOLDS).any(|fold| selection.takes(fold)) {
        return vec![];
    }
    let side = usize::from(selection.split != Split::Train);
    let editions = YEARS.map(|year| parts(year)[side].clone());
    let found = editions.iter().find(|part| instances(root, part).is_file());
    vec![found.unwrap_or(&editions[0]).clone()]
}

/// The parts that the lists name, if all of them are there; else, as both editions hold the same pictures divided
/// otherwise, every part that is there.
fn parts_of_lists(root: &Path, lists: &Lists, selection: &Selection) -> Vec<String> {
    if lists.entries.is_empty() {
        return vec![];
    }
    let folders: HashSet<&str> = lists.entries.iter().flat_map(|entry| entry.listed.name.split('/')).collect();
    let is_there = |part: &String| instances(root, part).is_file();
    let all: Vec<String> = YEARS.iter().flat_map(|year| parts(year)).collect();
    let named: Vec<String> = all.iter().filter(|part| folders.contains(part.as_str())).cloned().collect();
    let there: Vec<String> = all.into_iter().filter(is_there).collect();
    match (named.is_empty(), there.is_empty()) {
        (true, true) => part_of_side(root, selection),
        (false, _) if there.is_empty() || named.iter().all(is_there) => named,
        _ => there,
    }
}

/// The annotated pictures of some parts of COCO.
#[derive(Default)]
struct Annotated {
    /// The names of the classes, in the order of COCO's numbers.
    classes: Vec<String>,
    pictures: Vec<Pictured>,
    /// Places in `pictures`, by file name and by COCO's number, which every edition keeps.
    by_name: HashMap<String, usize>,
    by_number: HashMap<u64, usize>,
}

struct Pictured {
    part: String,
    file_name: String,
    /// Width and height.
    size: [usize; 2],
    /// The objects in the order in which they are painted, or what is wrong with one.
    regions: Result<Arc<Regions>, String>,
    /// How many pixels the single objects of a class have together.
    areas: BTreeMap<usize, f64>,
}

impl Annotated {
    fn read(root: &Path, parts: &[String]) -> Result<Self, DataError> {
        let mut annotated = Self::default();
        for part in parts {
            let path = instances(root, part);
            let file = File::open(&path).map_err(|source| DataError::unreadable(&path, source))?;
            let instances = serde_json::from_reader(BufReader::new(file))
                .map_err(|error| DataError::layout(&path, format!("not annotations as COCO writes them ({error})")))?;
            annotated.add(part, instances).map_err(|problem| DataError::layout(&path, problem))?;
        }
        Ok(annotated)
    }

    fn add(&mut self, part: &str, mut instances: Instances) -> Result<(), String> {
        instances.categories.sort_by_key(|category| category.id);
        let classes: HashMap<u64, usize> =
            instances.categories.iter().enumerate().map(|(class, category)| (category.id, class)).collect();
        if classes.len() >= usize::from(IGNORED) {
            return Err(format!("it has {} classes, more than the {} that are read", classes.len(), IGNORED - 1));
        }
        self.classes = instances.categories.into_iter().map(|category| category.name).collect();
        for image in instances.images {
            let regions = Regions { size: Some((image.width, image.height)), painted: vec![] };
            self.by_name.insert(base(&image.file_name).to_owned(), self.pictures.len());
            self.by_number.insert(image.id, self.pictures.len());
            self.pictures.push(Pictured {
                part: part.to_owned(),
                file_name: image.file_name,
                size: [image.width as usize, image.height as usize],
                regions: Ok(Arc::new(regions)),
                areas: BTreeMap::new(),
            });
        }
        instances.annotations.sort_by_key(|instance| instance.iscrowd == 0);
        for instance in instances.annotations {
            let class = classes.get(&instance.category_id);
            let class = *class.ok_or_else(|| format!("it has no category {}", instance.category_id))?;
            let place = self.by_number.get(&instance.image_id);
            let place = *place.ok_or_else(|| format!("it has no image {}", instance.image_id))?;
            self.pictures[place].add(class, instance);
        }
        Ok(())
    }

    fn find(&self, listed: &Listed) -> Result<&Pictured, String> {
        let number = || stem(Path::new(&listed.name)).rsplit('_').next().and_then(|digits| digits.parse().ok());
        let place = self.by_name.get(base(&listed.name)).or_else(|| self.by_number.get(&number()?));
        place.map(|&place| &self.pictures[place]).ok_or_else(|| format!("{}: it has no annotations", listed.name))
    }

    fn files(&self, root: &Path, listed: &Listed) -> Result<Files, String> {
        let pictured = self.find(listed)?;
        let picture = pictured.path(root);
        let regions = pictured.regions.clone().map_err(|problem| format!("{}: {problem}", picture.display()))?;
        Ok(Files { name: listed.name.clone(), picture, annotation: Annotation::Regions(regions) })
    }

    /// The classes that a picture shows large enough.
    fn shown(&self, listed: &Listed) -> Result<Vec<usize>, String> {
        Ok(self.find(listed)?.classes().collect())
    }

    /// Lists every picture under the classes that it shows large enough and that `takes` accepts.
    fn list(&self, listing: &mut Listing, takes: impl Fn(usize) -> bool) {
        for pictured in &self.pictures {
            for class in pictured.classes().filter(|&class| takes(class)) {
                let name = format!("{}/{}", pictured.part, pictured.file_name);
                listing.add(class, class as u8 + 1, Listed { name, ..Listed::default() });
            }
        }
    }
}

impl Pictured {
    fn add(&mut self, class: usize, instance: Instance) {
        let [width, height] = self.size.map(|side| side as u32);
        let region = instance.segmentation.region(Some((width, height)));
        if instance.iscrowd == 0 {
            // A picture whose region cannot be read is listed, so that it is told of.
            let counted = || region.as_ref().map_or(LEAST_AREA, |region| region.area(self.size)) as f64;
            *self.areas.entry(class).or_default() += instance.area.unwrap_or_else(counted);
        }
        let Ok(regions) = &mut self.regions else { return };
        match region {
            Ok(region) => {
                let regions = Arc::get_mut(regions).expect("regions are shared once they are all there");
                regions.painted.push((class as u8 + 1, region));
            }
            Err(problem) => self.regions = Err(problem),
        }
    }

    /// The classes that it shows large enough.
    fn classes(&self) -> impl Iterator<Item = usize> {
        self.areas.iter().filter(|(_, area)| **area >= LEAST_AREA as f64).map(|(&class, _)| class)
    }

    /// The picture's file where it is found, else where it should be.
    fn path(&self, root: &Path) -> PathBuf {
        let name = Path::new(&self.part).join(&self.file_name);
        let images = root.join("images");
        let places = [root.join(&name), images.join(&name), images.join(&self.file_name), root.join(&self.file_name)];
        places.iter().find(|place| place.is_file()).unwrap_or(&places[0]).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::fixture::{Tree, selection};

    /// Five classes, numbered with gaps, so that fold 0 has ant and elk; pictures of 64 x 64 pixels. In picture 7 an
    /// elk covers the lower half, a crowd of ants the upper, and a bee lies in its corner; picture 9 shows an elk in
    /// compressed runs and a small ant.
    fn tree(edition: &str) -> Tree {
        let tree = Tree::new();
        for number in [7, 9] {
            tree.picture(&format!("{edition}/{}", name(edition, number)), 64, 64);
        }
        let images = [7, 9].map(|number| {
            serde_json::json!({"id": number, "file_name": name(edition, number), "width": 64, "height": 64, "url": ""})
        });
        let names = [(90, "elk"), (1, "ant"), (3, "bee"), (4, "cat"), (10, "dog")];
        let object = |image: usize, category: usize, area: f64, segmentation: serde_json::Value| {
            let crowd = usize::from(segmentation["counts"].is_array());
            serde_json::json!({"image_id": image, "category_id": category, "area": area, "iscrowd": crowd,
                "segmentation": segmentation, "bbox": [0, 0, 1, 1], "id": 5})
        };
        let upper: Vec<usize> = [vec![0], vec![32; 127], vec![32]].concat();
        let annotations = [
            object(7, 90, 2048.0, serde_json::json!([[0, 32, 64, 32, 64, 64, 0, 64]])),
            object(7, 3, 100.0, serde_json::json!([[0, 0, 10, 0, 10, 10, 0, 10]])),
            object(7, 1, 2048.0, serde_json::json!({"size": [64, 64], "counts": upper})),
            object(9, 90, 3996.0, serde_json::json!({"size": [64, 64], "counts": "T3ll3"})),
            object(9, 1, 30.0, serde_json::json!([[0, 0, 6, 0, 6, 5, 0, 5]])),
        ];
        let categories = names.map(|(id, name)| serde_json::json!({"id": id, "name": name, "supercategory": ""}));
        let file =
            serde_json::json!({"info": {}, "categories": categories, "annotations": annotations, "images": images});
        tree.text(&format!("annotations/instances_{edition}.json"), &file.to_string());
        tree
    }

    fn name(edition: &str, number: usize) -> String {
        match edition {
            "val2014" => format!("COCO_val2014_{number:012}.jpg"),
            _ => format!("{number:012}.jpg"),
        }
    }

    fn classes(read: &Collection) -> Vec<(usize, &str, usize)> {
        read.classes.iter().map(|class| (class.id, class.name.as_str(), class.len())).collect()
    }

    #[test]
    fn without_lists_the_areas_choose_the_pictures() {
        let tree = tree("val2014");
        assert_eq!(Format::detect(tree.root()).unwrap(), Format::Coco);
        let read = open(tree.root(), &selection(Split::Test)).unwrap();
        assert_eq!(classes(&read), [(4, "elk", 2)]);
        let episode = read.episode(&read.classes[0], &[1], 0).unwrap();
        assert_eq!(episode.query.mask.values, [vec![0; 2048], vec![1; 2048]].concat());
        assert_eq!(episode.supports[0].mask.area(), 3996 - 20);
        assert!(episode.ignore.is_none());
    }

    #[test]
    fn areas_that_a_file_does_not_say_are_counted() {
        let tree = tree("val2014");
        let path = tree.root().join("annotations/instances_val2014.json");
        let mut file: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        for annotation in file["annotations"].as_array_mut().unwrap() {
            annotation.as_object_mut().unwrap().remove("area");
        }
        tree.text("annotations/instances_val2014.json", &file.to_string());
        let annotated = Annotated::read(tree.root(), &["val2014".into()]).unwrap();
        let areas: Vec<_> = annotated.pictures.iter().map(|pictured| pictured.areas.clone()).collect();
        // The crowd of ants counts for nothing.
        assert_eq!(areas, [BTreeMap::from([(1, 100.0), (4, 2048.0)]), BTreeMap::from([(0, 30.0), (4, 3996.0)])]);
    }

    #[test]
    fn lists_choose_the_pictures_and_crowds_lie_below() {
        let tree = tree("val2014");
        let path = |number| format!("val2014/{}", name("val2014", number));
        tree.text("lists/val/fold0.json", &serde_json::json!({"0": [path(7), path(9)], "4": []}).to_string());
        let read = open(tree.root(), &selection(Split::Test)).unwrap();
        assert_eq!(classes(&read), [(0, "ant", 2)]);
        assert_eq!(read.picture_name(&read.classes[0], 0), path(7));
        let episode = read.episode(&read.classes[0], &[1], 0).unwrap();
        assert_eq!(episode.query.mask.area(), 2048 - 100);
        assert_eq!(episode.supports[0].mask.area(), 30);
    }

    /// HSNet's trn/foldK lists the classes to learn from when fold K is novel, other than PASCAL-5i's.
    #[test]
    fn one_learns_from_the_list_of_the_novel_fold() {
        let tree = tree("train2014");
        let path = |number| format!("train2014/{}", name("train2014", number));
        let lists = |fold: usize, list: serde_json::Value| {
            tree.text(&format!("lists/trn/fold{fold}.json"), &list.to_string());
        };
        lists(0, serde_json::json!({"0": [], "1": [path(7)], "2": [path(9)]}));
        lists(1, serde_json::json!({"0": [path(7), path(9)], "2": [path(9)], "4": [path(7)]}));
        lists(2, serde_json::json!({"0": [path(7), path(9)], "1": [path(7)], "4": [path(7)]}));
        lists(3, serde_json::json!({"0": [path(7), path(9)], "1": [path(7)], "2": [path(9)]}));
        let read = open(tree.root(), &selection(Split::Train)).unwrap();
        assert_eq!(classes(&read), [(1, "bee", 1), (2, "cat", 1)]);
        let all = open(tree.root(), &Selection::new(Split::Train)).unwrap();
        assert_eq!(classes(&all), [(0, "ant", 2), (1, "bee", 1), (2, "cat", 1), (4, "elk", 1)]);
    }

    #[test]
    fn classes_of_the_other_side_are_left_out_of_a_list() {
        let tree = tree("val2014");
        let line = |class: usize| format!("val2014/{}__{class:02}\n", name("val2014", 7));
        tree.text("lists/val/fold0.txt", &[line(2), line(5)].concat());
        assert_eq!(classes(&open(tree.root(), &selection(Split::Test)).unwrap()), [(4, "elk", 1)]);
        let pairs = format!("{{2: [('{0}', 'x.png')], 5: [('{0}', 'x.png')]}}", name("val2014", 7));
        tree.text("given.txt", &pairs);
        let given = |split| Selection { lists: Some(tree.root().join("given.txt")), ..selection(split) };
        assert_eq!(classes(&open(tree.root(), &given(Split::Train)).unwrap()), [(1, "bee", 1)]);
        let unfolded = Selection { fold: None, ..given(Split::Test) };
        assert_eq!(classes(&open(tree.root(), &unfolded).unwrap()), [(1, "bee", 1), (4, "elk", 1)]);
    }

    #[test]
    fn classes_that_the_annotations_lack_are_named() {
        let tree = tree("val2014");
        tree.text("lists/val/fold0.txt", &format!("val2014/{0}__05\nval2014/{0}__77\n", name("val2014", 7)));
        let error = open(tree.root(), &selection(Split::Test)).unwrap_err().to_string();
        assert!(error.contains("1 of its files"), "{error}");
        assert!(error.contains("fold0.txt: line 2: val2014/COCO_val2014_000000000007.jpg: class 77, "), "{error}");
        let skipping = Selection { skip_missing: true, ..selection(Split::Test) };
        assert_eq!(classes(&open(tree.root(), &skipping).unwrap()), [(4, "elk", 1)]);
    }

    #[test]
    fn lists_of_one_edition_fit_the_other() {
        let tree = tree("train2017");
        tree.text("splits/coco/val/fold0.txt", "val2014/COCO_val2014_000000000009.jpg__05\n");
        let read = open(tree.root(), &selection(Split::Test)).unwrap();
        assert_eq!(classes(&read), [(4, "elk", 1)]);
    }

    #[test]
    fn pfenets_label_files_need_not_be_there() {
        let tree = tree("val2014");
        let line =
            format!("../data/MSCOCO2014/val2014/{} ../data/MSCOCO2014/annotations/val2014/x.png", name("val2014", 7));
        tree.text("lists/coco/fss_list/val/data_list_0.txt", &line);
        let read = open(tree.root(), &selection(Split::Test)).unwrap();
        assert_eq!(classes(&read), [(4, "elk", 1)]);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let tree = tree("val2014");
        tree.picture("val2014/COCO_val2014_000000000007.jpg", 32, 64);
        tree.text(
            "lists/val/fold0.txt",
            "val2014/COCO_val2014_000000000008.jpg__01\nval2014/COCO_val2014_000000000007.jpg__01\n",
        );
        let error = open(tree.root(), &selection(Split::Test)).unwrap_err().to_string();
        assert!(
            error.contains("fold0.txt: line 1: val2014/COCO_val2014_000000000008.jpg: it has no annotations"),
            "{error}"
        );
        assert!(error.contains("07.jpg: 32 x 64 pixels, but its annotation is of 64 x 64"), "{error}");
    }

    #[test]
    fn runs_over_another_size_are_named() {
        let tree = Tree::new();
        tree.picture("val2014/1.jpg", 4, 2);
        let file = serde_json::json!({
            "images": [{"id": 1, "file_name": "1.jpg", "width": 4, "height": 2}],
            "categories": [{"id": 1, "name": "ant"}],
            "annotations": [{"image_id": 1, "category_id": 1, "area": 4000.0,
                "segmentation": {"size": [2, 4], "counts": [3, 4]}}],
        });
        tree.text("annotations/instances_val2014.json", &file.to_string());
        let error = open(tree.root(), &selection(Split::Test)).unwrap_err().to_string();
        assert!(error.contains("1.jpg: an annotation runs over 7 pixels of a picture of 4 x 2"), "{error}");
    }

    #[test]
    fn missing_annotations_are_named() {
        let tree = Tree::new();
        tree.text("lists/val/fold0.txt", "val2014/COCO_val2014_000000000008.jpg__01\n");
        let error = open(tree.root(), &selection(Split::Test)).unwrap_err().to_string();
        assert!(error.contains("instances_val2014.json: cannot be read"), "{error}");
        tree.text("lists/val/fold0.txt", "8.jpg__01\n");
        let error = open(tree.root(), &selection(Split::Test)).unwrap_err().to_string();
        assert!(error.contains("instances_val2014.json: cannot be read"), "{error}");
    }
}
