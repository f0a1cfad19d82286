//! A data set, whatever its layout: classes, and the pictures that show them.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    Cache, DataError, Format,
    draws::{self, Draw, Protocol},
    files::Files,
    labels::{IGNORED, Labels},
};
use crate::{
    episode::{Episode, Shot},
    image::{Mask, Picture},
};

/// A class, and where it is shown.
#[derive(Clone, Debug)]
pub struct Class {
    /// The number by which metrics keep it apart.
    pub id: usize,
    pub name: String,
    /// The scenes that show it, each with the label that it has there.
    pub(super) members: Vec<(usize, u8)>,
    /// Of each of them, its place among all entries of the lists.
    pub(super) listed: Vec<usize>,
}

impl Class {
    /// A class that nothing shows yet.
    pub(super) fn new(id: usize, name: impl Into<String>) -> Self {
        Self { id, name: name.into(), members: Vec::new(), listed: Vec::new() }
    }

    /// The same class once scene `n` has become scene `places[n]`, or has gone.
    pub(super) fn move_to(&mut self, places: &[Option<usize>]) {
        let members = self.members.iter().zip(&self.listed);
        let moved = members.filter_map(|(&(scene, label), &listed)| Some(((places[scene]?, label), listed)));
        (self.members, self.listed) = moved.unzip();
    }

    /// How many pictures show it.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether no picture shows it.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}

/// A picture with its labels, decoded.
#[derive(Clone, Debug)]
pub struct Scene {
    pub picture: Picture,
    pub(super) labels: Labels,
}

impl Scene {
    /// The picture with the pixels of one label marked.
    pub(super) fn shot(&self, label: u8) -> Shot {
        Shot { picture: self.picture.clone(), mask: self.mask(label), unsure: None }
    }

    /// Whether any pixel has the label.
    pub(super) fn shows(&self, label: u8) -> bool {
        self.labels.values.contains(&label)
    }

    /// The pixels of one label.
    pub(super) fn mask(&self, label: u8) -> Mask {
        let values = self.labels.values.iter();
        Mask {
            width: self.labels.width,
            height: self.labels.height,
            values: values.map(|&value| u8::from(value == label)).collect(),
        }
    }
}

/// Classes and the pictures that show them. Pictures are decoded when first asked for, and kept in a [`Cache`].
#[derive(Clone, Debug)]
pub struct Collection {
    /// What to call it.
    pub name: String,
    /// The classes, each shown by at least one picture.
    pub classes: Vec<Class>,
    format: Format,
    scenes: Arc<Scenes>,
    cache: Cache,
}

#[derive(Debug)]
struct Scenes {
    /// The number of the collection, by which a cache keeps its scenes apart.
    number: u64,
    files: Vec<Files>,
    longest_side: Option<usize>,
    skipped: usize,
}

impl Collection {
    /// Takes note of files that have been checked.
    pub(super) fn new(
        root: &Path,
        format: Format,
        classes: Vec<Class>,
        files: Vec<Files>,
        longest_side: Option<usize>,
        skipped: usize,
    ) -> Self {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let name = root.file_name().unwrap_or(root.as_os_str()).to_string_lossy().into_owned();
        let scenes = Arc::new(Scenes { number, files, longest_side, skipped });
        Self { name, classes, format, scenes, cache: Cache::default() }
    }

    /// The same pictures, kept in `cache` once they are decoded.
    pub fn with_cache(self, cache: &Cache) -> Self {
        Self { cache: cache.clone(), ..self }
    }

    /// The same pictures with only the classes that `keep` accepts.
    pub fn filter(&self, keep: impl Fn(&Class) -> bool) -> Self {
        let mut kept = self.clone();
        kept.classes.retain(keep);
        kept
    }

    /// How many pictures there are, over all classes.
    pub fn len(&self) -> usize {
        self.classes.iter().map(Class::len).sum()
    }

    /// Whether there is no picture of any class.
    pub fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }

    /// How many files and lines could not be used and were left out.
    pub fn skipped(&self) -> usize {
        self.scenes.skipped
    }

    /// What the data set calls a picture of a class, by its place in the class.
    pub fn picture_name(&self, class: &Class, member: usize) -> &str {
        &self.scenes.files[class.members[member].0].name
    }

    /// Test episodes of `shots` pictures shown. [`Protocol::Fewseg`] asks every picture of every class of more than
    /// `shots` pictures in turn, in an order that the seed decides, cut or repeated to `episodes`.
    /// [`Protocol::Hsnet`] draws those of the published code, with the published number of them unless told
    /// otherwise: of every list entry in turn (PASCAL-5i, FSS-1000), or of every class alike (COCO-20i).
    ///
    /// # Errors
    /// When the classes have too few pictures, or there are no published episodes of this layout.
    pub fn draws(
        &self,
        protocol: Protocol,
        shots: usize,
        episodes: Option<usize>,
        seed: u64,
    ) -> Result<Vec<Draw>, DataError> {
        draws::draws(protocol, self.format, &self.classes, shots, episodes, seed)
    }

    /// The classes of too few pictures for an episode of `shots`, which [`Protocol::Fewseg`] does not ask.
    pub fn too_small(&self, shots: usize) -> impl Iterator<Item = &Class> {
        self.classes.iter().filter(move |class| class.len() <= shots)
    }

    /// The pictures and masks of an episode, as they are on disk.
    ///
    /// # Errors
    /// When a file has gone or its pixels are broken.
    pub fn play(&self, draw: &Draw) -> Result<Episode, DataError> {
        self.episode(&self.classes[draw.class], &draw.supports, draw.query)
    }

    /// The label of a class in every picture, in the layouts in which a label is one class wherever it comes.
    pub(super) fn label(&self, class: &Class) -> Option<u8> {
        let label = class.members.first().map(|&(_, label)| label);
        label.filter(|_| matches!(self.format, Format::Pascal | Format::Coco))
    }

    /// A scene by its number, decoded now unless it is kept.
    ///
    /// # Errors
    /// When a file has gone or its pixels are broken.
    pub(super) fn scene(&self, number: usize) -> Result<Arc<Scene>, DataError> {
        let scenes = &self.scenes;
        self.cache.get((scenes.number, number), || scenes.files[number].decode(scenes.longest_side))
    }

    /// The episode of a class in which its pictures `supports` are shown and `query` is asked,
    /// all by their place in the class, as they are on disk.
    ///
    /// # Errors
    /// When a file has gone or its pixels are broken.
    pub fn episode(&self, class: &Class, supports: &[usize], query: usize) -> Result<Episode, DataError> {
        let shot = |member: usize| -> Result<Shot, DataError> {
            let (scene, label) = class.members[member];
            Ok(self.scene(scene)?.shot(label))
        };
        let (scene, _) = class.members[query];
        let ignore = self.scene(scene)?.mask(IGNORED);
        Ok(Episode {
            class: class.id,
            supports: (supports.iter()).map(|&member| shot(member)).collect::<Result<_, _>>()?,
            query: shot(query)?,
            ignore: (ignore.area() > 0).then_some(ignore),
        })
    }
}

/// Numbers the classes of several collections apart: the ids of each begin after those of the one before.
pub fn number_apart<'a>(collections: impl IntoIterator<Item = &'a mut Collection>) {
    let mut first = 0;
    for collection in collections {
        let mut next = first;
        for class in &mut collection.classes {
            class.id += first;
            next = next.max(class.id + 1);
        }
        first = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{
        Split,
        fixture::{Tree, selection},
    };

    fn collection(classes: &[&str]) -> (Tree, Collection) {
        let tree = Tree::new();
        for class in classes {
            for number in 1..=3 {
                tree.picture(&format!("{class}/{number}.jpg"), 2, 1);
                tree.grey(&format!("{class}/{number}.png"), 2, &[0, 1]);
            }
        }
        let read = Format::Fss.open(tree.root(), &selection(Split::Train)).unwrap();
        (tree, read)
    }

    #[test]
    fn draws_are_played_by_their_places() {
        let (_tree, collection) = collection(&["ant", "bee"]);
        let bees = collection.filter(|class| class.name == "bee").with_cache(&Cache::with_budget(0));
        for draw in bees.draws(Protocol::Hsnet, 2, None, 0).unwrap() {
            let episode = bees.play(&draw).unwrap();
            assert_eq!((episode.class, episode.supports.len()), (1, 2));
            assert_eq!(bees.picture_name(&bees.classes[0], 2), "bee/3.jpg");
        }
        assert_eq!(bees.too_small(3).count(), 1);
        assert_eq!(bees.too_small(2).count(), 0);
    }

    #[test]
    fn what_is_filtered_or_numbered_keeps_its_cache() {
        let cache = Cache::default();
        let both = ["ant", "bee"].map(|class| collection(&[class]));
        let [ants, bees] = both.each_ref().map(|(_, collection)| collection.clone().with_cache(&cache));
        let mut filtered = [ants.filter(|_| true), bees.filter(|_| true).clone()];
        number_apart(&mut filtered);
        for (collection, filtered) in [&ants, &bees].into_iter().zip(&filtered) {
            assert!(Arc::ptr_eq(&collection.scene(0).unwrap(), &filtered.scene(0).unwrap()));
        }
        assert!(!Arc::ptr_eq(&ants.scene(0).unwrap(), &bees.scene(0).unwrap()));
        assert!(!Arc::ptr_eq(&ants.scene(0).unwrap(), &both[0].1.scene(0).unwrap()), "kept elsewhere");
    }

    #[test]
    fn classes_of_several_collections_are_numbered_apart() {
        let ((_ants, ants), (_cows, cows)) = (collection(&["ant", "bee"]), collection(&["cow", "dog"]));
        let mut both = [ants.filter(|class| class.name == "bee"), cows];
        number_apart(&mut both);
        let ids: Vec<usize> = both.iter().flat_map(|collection| &collection.classes).map(|class| class.id).collect();
        assert_eq!(ids, [1, 2, 3]);
    }
}
