//! What was found in a picture: small enough to keep for every picture, and all that its labels are made of.

use super::{Margins, probability};
use crate::annotation::MAX_CLASS;
use crate::half_floats;
use crate::image::MAX_PIXELS;

/// The first bytes of a finding.
const MAGIC: [u8; 6] = *b"fewfnd";
/// The present form of what follows them.
const VERSION: u16 = 1;

/// What the shots of every class say of one picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The picture's width in pixels.
    pub width: usize,
    /// The picture's height in pixels.
    pub height: usize,
    /// The classes that were looked for, each number once.
    pub classes: Vec<ClassFinding>,
}

/// What the shots of one class say of a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassFinding {
    /// From 1 to [`MAX_CLASS`].
    pub number: u8,
    /// One plane a shot, at least one, all of one size.
    pub shots: Vec<Margins>,
}

/// Why bytes are not a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FindingError {
    #[error("these bytes are not what was found in a picture")]
    Foreign,
    #[error("what was found in this picture was written in form {0}, and this fewseg reads form {VERSION}")]
    Version(u16),
    #[error("what was found in this picture is damaged")]
    Damaged,
}

impl Finding {
    /// In little-endian bytes: the header, the picture's size, and of each class its number and, shot by shot, the size
    /// of the plane and its margins as float16.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        let counts = |bytes: &mut Vec<u8>, counts: &[usize]| {
            bytes.extend(counts.iter().flat_map(|&count| (count as u32).to_le_bytes()));
        };
        counts(&mut bytes, &[self.width, self.height, self.classes.len()]);
        for class in &self.classes {
            bytes.push(class.number);
            counts(&mut bytes, &[class.shots.len()]);
            for shot in &class.shots {
                counts(&mut bytes, &[shot.width, shot.height]);
                bytes.extend(half_floats::to_bytes(&shot.values));
            }
        }
        bytes
    }

    /// What [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// If the bytes are anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FindingError> {
        let mut bytes = Bytes(bytes.strip_prefix(&MAGIC).ok_or(FindingError::Foreign)?);
        match u16::from_le_bytes(bytes.take()?) {
            VERSION => {}
            other => return Err(FindingError::Version(other)),
        }
        let (width, height) = (bytes.count()?, bytes.count()?);
        let classes = (0..bytes.count()?).map(|_| bytes.class()).collect::<Result<Vec<_>, _>>()?;
        let mut numbers: Vec<u8> = classes.iter().map(|class| class.number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let is_sound = bytes.0.is_empty()
            && (1..=MAX_PIXELS).contains(&(width as u64 * height as u64))
            && numbers.len() == classes.len();
        if is_sound { Ok(Self { width, height, classes }) } else { Err(FindingError::Damaged) }
    }
}

/// What has not been read yet.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], FindingError> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(FindingError::Damaged)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn count(&mut self) -> Result<usize, FindingError> {
        Ok(u32::from_le_bytes(self.take()?) as usize)
    }

    fn class(&mut self) -> Result<ClassFinding, FindingError> {
        let [number] = self.take()?;
        let shots = (0..self.count()?).map(|_| self.margins()).collect::<Result<Vec<_>, _>>()?;
        let size = |margins: &Margins| [margins.height, margins.width];
        let is_even = shots.first().is_some_and(|first| shots.iter().all(|shot| size(shot) == size(first)));
        match (1..=MAX_CLASS).contains(&number) && is_even {
            true => Ok(ClassFinding { number, shots }),
            false => Err(FindingError::Damaged),
        }
    }

    fn margins(&mut self) -> Result<Margins, FindingError> {
        let (width, height) = (self.count()?, self.count()?);
        let length = width.checked_mul(height).and_then(|count| count.checked_mul(2)).filter(|&length| length > 0);
        let (plane, rest) = length.and_then(|length| self.0.split_at_checked(length)).ok_or(FindingError::Damaged)?;
        self.0 = rest;
        let values = half_floats::from_bytes(plane).ok_or(FindingError::Damaged)?;
        Ok(Margins { width, height, values })
    }
}

impl ClassFinding {
    /// The share of the picture that is of the class at a threshold, and the mean probability over that, 0 if there is
    /// nothing: counted on the network's grid, by the rule of [`super::labels`].
    pub fn share(&self, threshold: f32) -> [f32; 2] {
        let places = self.shots.first().map_or(0, |shot| shot.values.len());
        let marked: Vec<f32> = (0..places).map(|place| self.probability(place)).filter(|&p| p > threshold).collect();
        let confidence = marked.iter().sum::<f32>() / marked.len().max(1) as f32;
        [marked.len() as f32 / places.max(1) as f32, confidence]
    }

    /// The mean of the probabilities that the shots give a place of the grid.
    fn probability(&self, place: usize) -> f32 {
        let sum: f32 = self.shots.iter().map(|shot| probability(shot.values[place])).sum();
        sum / self.shots.len() as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::predict::logit;
    use proptest::prelude::*;

    fn margins(width: usize, height: usize) -> Margins {
        Margins { width, height, values: (0..width * height).map(|index| index as f32 / 8.0 - 1.0).collect() }
    }

    fn finding() -> Finding {
        let class = |number, shots| ClassFinding { number, shots };
        let classes = vec![class(250, vec![margins(3, 2), margins(3, 2)]), class(1, vec![margins(1, 1)])];
        Finding { width: 640, height: 480, classes }
    }

    #[test]
    fn what_is_written_reads_back() {
        assert_eq!(Finding::from_bytes(&finding().to_bytes()).unwrap(), finding());
    }

    #[test]
    fn margins_keep_three_digits_and_never_become_infinite() {
        let mut finding = finding();
        finding.classes[1].shots[0].values = vec![1e9];
        finding.classes[0].shots[1].values[0] = -7.123_456;
        let read = Finding::from_bytes(&finding.to_bytes()).unwrap();
        assert_eq!(read.classes[1].shots[0].values, [65504.0]);
        assert!((read.classes[0].shots[1].values[0] + 7.123_456).abs() < 0.004);
    }

    #[test]
    fn wherever_it_is_cut_off_it_is_damaged() {
        let bytes = finding().to_bytes();
        for length in MAGIC.len()..bytes.len() {
            assert_eq!(Finding::from_bytes(&bytes[..length]), Err(FindingError::Damaged), "at {length}");
        }
        assert_eq!(Finding::from_bytes(&[bytes, vec![0]].concat()), Err(FindingError::Damaged));
    }

    #[test]
    fn other_bytes_and_other_forms_are_told_apart() {
        assert_eq!(Finding::from_bytes(b"\x89PNG\r\n\x1a\n"), Err(FindingError::Foreign));
        let mut bytes = finding().to_bytes();
        bytes[MAGIC.len()] = 9;
        assert_eq!(Finding::from_bytes(&bytes), Err(FindingError::Version(9)));
    }

    #[test]
    fn a_class_has_a_number_of_its_own_and_shots() {
        let damaged = |change: &dyn Fn(&mut Finding)| {
            let mut finding = finding();
            change(&mut finding);
            assert_eq!(Finding::from_bytes(&finding.to_bytes()), Err(FindingError::Damaged));
        };
        damaged(&|finding| finding.classes[1].number = 250);
        damaged(&|finding| finding.classes[1].number = 0);
        damaged(&|finding| finding.classes[1].number = 251);
        damaged(&|finding| finding.classes[1].shots.clear());
        damaged(&|finding| finding.classes[1].shots[0].values[0] = f32::NAN);
        damaged(&|finding| finding.classes[0].shots[1] = margins(2, 3));
        damaged(&|finding| finding.width = 0);
    }

    #[test]
    fn share_and_confidence_are_those_of_what_is_marked() {
        let shot = |values: [f32; 4]| Margins { width: 4, height: 1, values: values.map(logit).to_vec() };
        let class = ClassFinding { number: 1, shots: vec![shot([0.9, 0.7, 0.4, 0.1])] };
        let near = |found: [f32; 2], expected: [f32; 2]| (0..2).all(|i| (found[i] - expected[i]).abs() < 1e-5);
        assert!(near(class.share(0.5), [0.5, 0.8]), "{:?}", class.share(0.5));
        assert!(near(class.share(0.3), [0.75, 2.0 / 3.0]), "{:?}", class.share(0.3));
        assert_eq!(class.share(0.95), [0.0, 0.0]);
        // Two shots count alike.
        let class = ClassFinding { number: 1, shots: vec![shot([0.8, 0.9, 0.1, 0.1]), shot([0.8, 0.1, 0.1, 0.1])] };
        assert!(near(class.share(0.6), [0.25, 0.8]), "{:?}", class.share(0.6));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: Vec<u8>) {
            let headed = [MAGIC.as_slice(), &VERSION.to_le_bytes(), &bytes].concat();
            let _ = (Finding::from_bytes(&bytes), Finding::from_bytes(&headed));
        }

        #[test]
        fn no_changed_byte_makes_it_panic(place: prop::sample::Index, value: u8) {
            let mut bytes = finding().to_bytes();
            let place = place.index(bytes.len());
            bytes[place] = value;
            if let Ok(read) = Finding::from_bytes(&bytes) {
                prop_assert_eq!(read.to_bytes(), bytes);
            }
        }
    }
}
