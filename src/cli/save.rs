//! What `fewseg segment` leaves of a query: the mask, and whatever else is asked for.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Outcome, about};
use crate::annotation::{Class, Kind, Labels, Pack, Packed};

/// The files of all queries of a run.
pub struct Save {
    place: Place,
    pack: Pack,
}

/// Where files go.
struct Place {
    out: PathBuf,
    /// Files that were read, by their canonical paths.
    read: Vec<PathBuf>,
    /// Masks alone need no folder of their own.
    only_masks: bool,
}

impl Save {
    /// Writes these kinds of files into the folder `out`, over none of those in `read`.
    pub fn new<'a>(
        out: &Path,
        kinds: &[Kind],
        classes: &[Class],
        read: impl Iterator<Item = &'a PathBuf>,
    ) -> Outcome<Self> {
        let read = read.filter_map(|path| path.canonicalize().ok()).collect();
        let place = Place { out: out.to_owned(), read, only_masks: kinds == [Kind::Masks] };
        Ok(Self { place, pack: Pack::new(kinds, classes)? })
    }

    /// Writes the files of a query, whose own bytes are `picture`.
    pub fn add(&mut self, query: &Path, picture: &[u8], labels: &Labels) -> Outcome {
        let name = query.file_name().ok_or_else(|| about(query, "the file has no name"))?;
        let files = self.pack.add(&name.to_string_lossy(), picture, labels)?;
        files.iter().try_for_each(|file| self.place.write(file))
    }

    /// Writes the files about all queries together.
    pub fn finish(self) -> Outcome {
        let files = self.pack.finish()?;
        files.iter().try_for_each(|file| self.place.write(file))
    }
}

impl Place {
    fn write(&self, file: &Packed) -> Outcome {
        let name = match self.only_masks {
            true => file.name.trim_start_matches("masks/"),
            false => &file.name,
        };
        let path = self.out.join(name);
        if path.canonicalize().is_ok_and(|path| self.read.contains(&path)) {
            let problem =
                "this file, which others are made from, would be overwritten; choose another folder with --out";
            return Err(about(&path, problem));
        }
        let folder = path.parent().unwrap_or(&self.out);
        fs::create_dir_all(folder).and_then(|()| fs::write(&path, &file.bytes)).map_err(|error| about(&path, error))
    }
}
