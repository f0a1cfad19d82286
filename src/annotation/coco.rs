//! COCO's JSON (Lin et al., ECCV 2014): a file for many pictures, with categories and annotations.

use serde::{Deserialize, Serialize};

use super::{
    AnnotationError, Class, Component, IGNORED, Labels, Region, Regions, components,
    runs::{pack, unpack},
};

/// What a file says, in the fields that matter here; the others are only written.
#[derive(Deserialize)]
pub(crate) struct Instances {
    pub images: Vec<Image>,
    pub annotations: Vec<Instance>,
    pub categories: Vec<Category>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Image {
    pub id: u64,
    pub file_name: String,
    pub width: u32,
    pub height: u32,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Category {
    pub id: u64,
    pub name: String,
}

/// An object, or a crowd of them.
#[derive(Serialize, Deserialize)]
pub(crate) struct Instance {
    #[serde(skip_deserializing)]
    id: u64,
    pub image_id: u64,
    pub category_id: u64,
    pub segmentation: Segmentation,
    /// In pixels; some programs leave it out.
    pub area: Option<f64>,
    /// Left, top, width and height, in pixels.
    #[serde(skip_deserializing)]
    bbox: [f64; 4],
    #[serde(default)]
    pub iscrowd: u8,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Segmentation {
    /// Outlines, each `x, y, x, y, ...`.
    Polygons(Vec<Vec<f64>>),
    /// Runs over a picture of `size` = [height, width].
    Runs { size: [u32; 2], counts: Counts },
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Counts {
    Numbers(Vec<u32>),
    Text(String),
}

/// How components are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As polygons along the edges of their pixels; those with holes, which COCO's polygons cannot have, as runs.
    Polygons,
    /// All as compressed runs.
    Runs,
}

/// A file in the making. Pictures are added one at a time; of each, only its text is kept.
pub struct Coco {
    form: Form,
    classes: Vec<Class>,
    images: Lines,
    annotations: Lines,
}

/// JSON values, a line each, numbered from 1.
#[derive(Default)]
struct Lines {
    text: String,
    count: u64,
}

impl Lines {
    fn add(&mut self, value: &impl Serialize) -> serde_json::Result<()> {
        self.text.push_str(if self.count == 0 { "\n" } else { ",\n" });
        self.text.push_str(&serde_json::to_string(value)?);
        self.count += 1;
        Ok(())
    }
}

impl Coco {
    /// A file without pictures; its categories are the classes, by their numbers.
    pub fn new(form: Form, classes: &[Class]) -> Self {
        Self { form, classes: classes.to_vec(), images: Lines::default(), annotations: Lines::default() }
    }

    /// Adds a picture: an annotation for each component of a class, its area in pixels. Labels that are no class's count
    /// as background.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&mut self, file_name: &str, labels: &Labels) -> Result<(), AnnotationError> {
        let unwritable = |error: serde_json::Error| AnnotationError::file(file_name, error.to_string());
        let image_id = self.images.count + 1;
        let [width, height] = [labels.width as u32, labels.height as u32];
        let image = Image { id: image_id, file_name: file_name.to_owned(), width, height };
        self.images.add(&image).map_err(unwritable)?;
        for component in components(labels) {
            if self.classes.iter().any(|class| class.number == component.number) {
                let instance = Instance {
                    id: self.annotations.count + 1,
                    image_id,
                    category_id: component.number.into(),
                    segmentation: Segmentation::of(&component, self.form, [labels.width, labels.height]),
                    area: Some(component.area() as f64),
                    bbox: component.bounds().map(|side| side as f64),
                    iscrowd: 0,
                };
                self.annotations.add(&instance).map_err(unwritable)?;
            }
        }
        Ok(())
    }

    /// The file.
    pub fn finish(self) -> Result<Vec<u8>, AnnotationError> {
        let mut categories = Lines::default();
        for class in &self.classes {
            let category = Category { id: class.number.into(), name: class.name.clone() };
            categories.add(&category).map_err(|error| AnnotationError::file(&class.name, error.to_string()))?;
        }
        let [images, annotations, categories] = [self.images, self.annotations, categories].map(|lines| lines.text);
        Ok(format!(
            "{{\"info\": {{\"description\": \"made with fewseg\"}},\n\"images\": [{images}],\n\
             \"annotations\": [{annotations}],\n\"categories\": [{categories}]}}\n"
        )
        .into_bytes())
    }
}

impl Segmentation {
    fn of(component: &Component, form: Form, size: [usize; 2]) -> Self {
        if form == Form::Polygons {
            let outlines = component.outlines();
            if outlines.holes.is_empty() {
                return Self::Polygons(vec![outlines.outer.iter().flatten().map(|&at| at as f64).collect()]);
            }
        }
        let [width, height] = size.map(|side| side as u32);
        Self::Runs { size: [height, width], counts: Counts::Text(pack(&component.runs(size))) }
    }

    /// The region in a picture of `picture` = (width, height).
    pub fn region(self, picture: Option<(u32, u32)>) -> Result<Region, String> {
        let (size, runs) = match self {
            Self::Polygons(outlines) => {
                let corners = outlines.iter().map(|outline| outline.as_chunks::<2>().0.to_vec());
                return Ok(Region::Polygons(corners.collect()));
            }
            Self::Runs { size, counts: Counts::Numbers(runs) } => (size, runs),
            Self::Runs { size, counts: Counts::Text(text) } => (size, unpack(&text)?),
        };
        let [height, width] = size.map(u64::from);
        let covered: u64 = runs.iter().map(|&run| u64::from(run)).sum();
        match covered == height * width && picture == Some((size[1], size[0])) {
            true => Ok(Region::Runs(runs)),
            false => Err(format!("an annotation runs over {covered} pixels of a picture of {width} x {height}")),
        }
    }
}

/// What a file says of a picture, which it knows by the last part of its name: the names of the categories in it, in the
/// order of their numbers, and its regions, labelled 1 for the first name. Crowds lie below.
pub(super) fn read(name: &str, bytes: &[u8], picture: &str) -> Result<(Vec<String>, Regions), AnnotationError> {
    let instances: Instances = serde_json::from_slice(bytes).map_err(|error| {
        AnnotationError::file(name, format!("not annotations as COCO writes them ({error}); export it again"))
    })?;
    instances.regions(picture).map_err(|problem| AnnotationError::file(name, problem))
}

impl Instances {
    fn regions(self, picture: &str) -> Result<(Vec<String>, Regions), String> {
        let image = self.images.iter().find(|image| base(&image.file_name) == base(picture));
        let image = image.ok_or_else(|| {
            format!("it knows {} pictures but none called {}; rename one of the two", self.images.len(), base(picture))
        })?;
        let mut instances: Vec<_> = self.annotations.into_iter().filter(|found| found.image_id == image.id).collect();
        instances.sort_by_key(|instance| instance.iscrowd == 0);
        let mut categories: Vec<_> = self.categories.iter().collect();
        categories.retain(|category| instances.iter().any(|instance| instance.category_id == category.id));
        categories.sort_by_key(|category| category.id);
        if categories.len() >= usize::from(IGNORED) {
            return Err(format!("{} has more than the {} categories that are read", base(picture), IGNORED - 1));
        }
        let mut regions = Regions { size: Some((image.width, image.height)), painted: vec![] };
        for instance in instances {
            let place = categories.iter().position(|category| category.id == instance.category_id);
            let place = place.ok_or_else(|| format!("it has no category {}", instance.category_id))?;
            regions.painted.push((place as u8 + 1, instance.segmentation.region(regions.size)?));
        }
        Ok((categories.into_iter().map(|category| category.name.clone()).collect(), regions))
    }
}

/// The last part of a path.
pub(crate) fn base(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}
