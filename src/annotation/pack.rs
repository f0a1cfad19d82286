//! All files that are to be saved of some pictures, under their names.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::{AnnotationError, Class, Coco, Form, Labels, coco::base, complaint, draw, labelme, yolo};
use crate::image::Picture;

/// What a picture can be saved as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "native", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// masks/NAME.png: class numbers with the classes' colours; of a single class 0 and 255
    Masks,
    /// cutouts/NAME-CLASS.png: the picture where it shows the class, transparent elsewhere
    Cutouts,
    /// overlays/NAME.jpg: the picture with the classes' colours blended in
    Overlays,
    /// coco.json: COCO's JSON with polygons, and runs where they have holes
    Coco,
    /// coco-rle.json: COCO's JSON with runs
    CocoRle,
    /// labelme/NAME.json: LabelMe's JSON, to be put beside the picture
    Labelme,
    /// yolo/labels/NAME.txt and yolo/data.yaml: YOLO's segments
    Yolo,
}

/// A file, with the folders it belongs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed {
    pub name: String,
    pub bytes: Vec<u8>,
}

impl Packed {
    fn new(name: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), bytes: bytes.into() }
    }
}

/// Pictures being saved one after another as the same kinds of files, with the same classes.
pub struct Pack {
    kinds: Vec<Kind>,
    classes: Vec<Class>,
    /// The classes' names as parts of files' names.
    names: Vec<String>,
    descriptions: Vec<(&'static str, Coco)>,
}

impl Pack {
    /// No picture yet.
    ///
    /// # Errors
    /// When a number is no class's, or two classes have the same.
    pub fn new(kinds: &[Kind], classes: &[Class]) -> Result<Self, AnnotationError> {
        if let Some(complaint) = complaint(classes) {
            return Err(AnnotationError::Classes(complaint));
        }
        let described = [(Kind::Coco, "coco.json", Form::Polygons), (Kind::CocoRle, "coco-rle.json", Form::Runs)];
        let described = described.into_iter().filter(|(kind, ..)| kinds.contains(kind));
        Ok(Self {
            kinds: kinds.to_vec(),
            classes: classes.to_vec(),
            names: file_names(classes),
            descriptions: described.map(|(_, file, form)| (file, Coco::new(form, classes))).collect(),
        })
    }

    /// Whether it saves as these kinds, with these classes.
    pub fn is_of(&self, kinds: &[Kind], classes: &[Class]) -> bool {
        self.kinds == kinds && self.classes == classes
    }

    /// The files of a picture, called by its file name without folders and extension: pictures that differ only in
    /// those would overwrite each other's. `picture` is its file, which is looked at only for cut-outs and overlays.
    ///
    /// # Errors
    /// When the picture cannot be read or the labels are not of its size.
    pub fn add(&mut self, name: &str, picture: &[u8], labels: &Labels) -> Result<Vec<Packed>, AnnotationError> {
        let picture = match self.kinds.iter().any(|kind| matches!(kind, Kind::Cutouts | Kind::Overlays)) {
            true => Some(Picture::decode(name, picture)?),
            false => None,
        };
        let mut files = Vec::new();
        for kind in &self.kinds {
            match (kind, &picture) {
                (Kind::Masks, _) => {
                    let png = draw::mask(name, labels, &self.classes)?;
                    files.push(Packed::new(format!("masks/{}.png", stem(name)), png));
                }
                (Kind::Cutouts, Some(picture)) => files.extend(self.cutouts(name, picture, labels)?),
                (Kind::Overlays, Some(picture)) => {
                    let jpeg = draw::overlay(name, picture, labels, &self.classes)?;
                    files.push(Packed::new(format!("overlays/{}.jpg", stem(name)), jpeg));
                }
                (Kind::Labelme, _) => {
                    let json = labelme::write(base(name), labels, &self.classes)?;
                    files.push(Packed::new(format!("labelme/{}.json", stem(name)), json));
                }
                (Kind::Yolo, _) => {
                    let lines = yolo::write(labels, &self.classes);
                    files.push(Packed::new(format!("yolo/labels/{}.txt", stem(name)), lines));
                }
                // All pictures are in one file, which comes at the end.
                (Kind::Coco | Kind::CocoRle, _) | (_, None) => {}
            }
        }
        // Last, so that a picture that cannot be saved is in none of the descriptions.
        for (_, description) in &mut self.descriptions {
            description.add(base(name), labels)?;
        }
        Ok(files)
    }

    /// The files about all pictures together.
    ///
    /// # Errors
    /// When one cannot be written.
    pub fn finish(self) -> Result<Vec<Packed>, AnnotationError> {
        let mut files = Vec::new();
        for (name, description) in self.descriptions {
            files.push(Packed::new(name, description.finish()?));
        }
        if self.kinds.contains(&Kind::Yolo) {
            files.push(Packed::new("yolo/data.yaml", yolo::data(&self.classes)));
        }
        Ok(files)
    }

    /// One for each class that the picture shows.
    fn cutouts(&self, name: &str, picture: &Picture, labels: &Labels) -> Result<Vec<Packed>, AnnotationError> {
        let named = self.classes.iter().zip(&self.names);
        named
            .filter(|(class, _)| labels.values.contains(&class.number))
            .map(|(class, own)| {
                let file = format!("cutouts/{}-{own}.png", stem(name));
                Ok(Packed::new(file, draw::cutout(name, picture, labels, class)?))
            })
            .collect()
    }
}

/// The classes' names as parts of files' names: no two alike, whatever the case of their letters, and none with a
/// hyphen, so that what stands before the last one is the picture's name.
fn file_names(classes: &[Class]) -> Vec<String> {
    let mut taken = HashSet::new();
    let own = |class: &Class| {
        let name = plain(&class.name).replace('-', "_");
        let mut name = if name.is_empty() { class.number.to_string() } else { name };
        while !taken.insert(name.to_lowercase()) {
            name = format!("{name}_{}", class.number);
        }
        name
    };
    classes.iter().map(own).collect()
}

/// The text without what some file system does not allow in names.
fn plain(text: &str) -> String {
    let allowed = |letter: char| !letter.is_control() && !"/\\:*?\"<>|".contains(letter);
    let text: String = text.trim().chars().map(|letter| if allowed(letter) { letter } else { '_' }).collect();
    text.trim_matches('.').to_owned()
}

/// A path's last part without its extension.
fn stem(name: &str) -> &str {
    let file = base(name);
    match file.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => file,
    }
}
