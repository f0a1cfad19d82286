//! Tiny data sets in temporary folders, for the readers' tests.

use std::{fs, path::Path};

use image::{GrayImage, RgbImage};
use tempfile::TempDir;

use super::{Selection, Split};

/// Fold 0, pictures as they are.
pub fn selection(split: Split) -> Selection {
    Selection { fold: Some(0), ..Selection::new(split) }
}

/// A folder that goes when it is dropped. Every method makes the folders on its way.
pub struct Tree(TempDir);

impl Tree {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn root(&self) -> &Path {
        self.0.path()
    }

    /// A picture of plain grey.
    pub fn picture(&self, path: &str, width: u32, height: u32) {
        self.plain(path, [width, height], 90);
    }

    /// A white picture.
    pub fn white(&self, path: &str, width: u32, height: u32) {
        self.plain(path, [width, height], 255);
    }

    fn plain(&self, path: &str, [width, height]: [u32; 2], level: u8) {
        let image = RgbImage::from_pixel(width, height, image::Rgb([level; 3]));
        image.save(self.make(path)).unwrap();
    }

    /// A grey picture of the given pixels.
    pub fn grey(&self, path: &str, width: u32, values: &[u8]) {
        let height = values.len() as u32 / width;
        let image = GrayImage::from_raw(width, height, values.to_vec()).unwrap();
        image.save(self.make(path)).unwrap();
    }

    pub fn text(&self, path: &str, text: &str) {
        fs::write(self.make(path), text).unwrap();
    }

    fn make(&self, path: &str) -> std::path::PathBuf {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }
}
