//! What a data set's lists or folders say of it, before any picture is looked at.

use std::{
    collections::{HashMap, HashSet},
    path::Path,
};

use rayon::prelude::*;

use super::{
    Class, Collection, DataError, Format, Selection,
    files::Files,
    lists::{Entry, Lists},
};

/// Classes and the names of the pictures that show them.
pub(super) struct Listing {
    format: Format,
    pub classes: Vec<Class>,
    pub scenes: Vec<Listed>,
    /// What is wrong with the lists, each with file and line.
    pub problems: Vec<String>,
    numbers: HashMap<String, usize>,
    entries: HashSet<(usize, usize)>,
}

/// A picture as a list names it.
#[derive(Clone, Debug, Default)]
pub(super) struct Listed {
    pub name: String,
    /// The label file, where the list names one too.
    pub labels: Option<String>,
    /// The list and the line, where there is a list.
    pub origin: Option<String>,
}

impl Listed {
    /// The problem, with the line that leads to it.
    pub fn blame(&self, problem: String) -> String {
        match &self.origin {
            Some(origin) => format!("{origin}: {problem}"),
            None => problem,
        }
    }
}

impl Listing {
    pub fn new(format: Format, classes: Vec<Class>) -> Self {
        let (scenes, problems) = (Vec::new(), Vec::new());
        Self { format, classes, scenes, problems, numbers: HashMap::new(), entries: HashSet::new() }
    }

    /// Notes that a picture shows the class at the place `class`, under `label`. What is said twice counts once.
    pub fn add(&mut self, class: usize, label: u8, listed: Listed) {
        let scene = match self.numbers.get(&listed.name) {
            Some(&scene) => scene,
            None => {
                self.numbers.insert(listed.name.clone(), self.scenes.len());
                self.scenes.push(listed);
                self.scenes.len() - 1
            }
        };
        if self.entries.insert((class, scene)) {
            self.classes[class].members.push((scene, label));
            self.classes[class].listed.push(self.entries.len());
        }
    }

    /// Adds a class of pictures that show nothing else.
    pub fn add_class(&mut self, name: String, pictures: impl IntoIterator<Item = String>) {
        let class = self.classes.len();
        self.classes.push(Class::new(class, name));
        pictures.into_iter().for_each(|name| self.add(class, 1, Listed { name, ..Listed::default() }));
    }

    /// Takes up what lists say of the classes that `takes` accepts. A class has the label after its number; `shown`
    /// tells the classes of a picture of which the list does not.
    pub fn take(
        &mut self,
        lists: Lists,
        takes: impl Fn(usize) -> bool,
        shown: impl Fn(&Listed) -> Result<Vec<usize>, String> + Sync,
    ) {
        let classes = |entry: &Entry| entry.class.map_or_else(|| shown(&entry.listed), |class| Ok(vec![class]));
        let shown: Vec<Result<Vec<usize>, String>> = lists.entries.par_iter().map(classes).collect();
        self.problems.extend(lists.problems);
        for (Entry { listed, .. }, shown) in lists.entries.into_iter().zip(shown) {
            match shown {
                Ok(classes) => classes
                    .into_iter()
                    .filter(|&class| takes(class))
                    .for_each(|class| self.take_class(class, listed.clone())),
                Err(problem) => self.problems.push(listed.blame(problem)),
            }
        }
    }

    /// A list may know more classes than the data set has.
    fn take_class(&mut self, class: usize, listed: Listed) {
        let (number, known) = (class + 1, self.classes.len());
        match number <= known {
            true => self.add(class, number as u8, listed),
            false => {
                let name = &listed.name;
                let problem = format!("{name}: class {number}, counted from 1, of a data set of {known} classes");
                self.problems.push(listed.blame(problem));
            }
        }
    }

    /// Puts the pictures of the class at the place `class` in the order of what `key` makes of their names.
    pub fn order<K: Ord>(&mut self, class: usize, key: impl Fn(&str) -> K) {
        let class = &mut self.classes[class];
        let mut members: Vec<_> = class.members.iter().copied().zip(class.listed.iter().copied()).collect();
        members.sort_by_cached_key(|&((scene, _), _)| key(&self.scenes[scene].name));
        (class.members, class.listed) = members.into_iter().unzip();
    }

    /// Finds and checks the files of every scene. What is wrong fails, or is left out where the selection says so.
    ///
    /// # Errors
    /// With every file that is missing, unreadable or of the wrong size, and every broken line.
    pub fn open(
        mut self,
        root: &Path,
        selection: &Selection,
        find: impl Fn(&Listed) -> Result<Files, String> + Sync,
    ) -> Result<Collection, DataError> {
        let usable = |listed: &Listed| {
            let files = find(listed).and_then(|files| files.check().map(|()| files));
            files.map_err(|problem| listed.blame(problem))
        };
        let found: Vec<Result<Files, String>> = self.scenes.par_iter().map(usable).collect();
        let mut places = Vec::with_capacity(found.len());
        let mut files = Vec::with_capacity(found.len());
        for scene in found {
            places.push(scene.is_ok().then_some(files.len()));
            match scene {
                Ok(scene) => files.push(scene),
                Err(problem) => self.problems.push(problem),
            }
        }
        if !self.problems.is_empty() && !selection.skip_missing {
            return Err(DataError::Files { root: root.to_owned(), problems: self.problems });
        }
        for class in &mut self.classes {
            class.move_to(&places);
        }
        self.classes.retain(|class| !class.is_empty());
        Ok(Collection::new(root, self.format, self.classes, files, selection.longest_side, self.problems.len()))
    }
}
