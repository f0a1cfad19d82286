//! Several classes, learned from pictures that they share, and what has been learned as a file.

mod common;

use std::collections::HashMap;
use std::io::{Cursor, Read, Write};

use burn::tensor::Device;
use common::{devices, distance};
use fewseg::backbone::BackboneKind;
use fewseg::classes::{Class, Classes, Labelled, LessonError, Source, TaskFileError, UNSURE, finding};
use fewseg::episode::Shot;
use fewseg::hsnet::{Design, Hsnet, Masking, Segmenter, Support};
use fewseg::image::{Mask, Picture};
use fewseg::predict::{Finding, Look};
use fewseg::weights::Header;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use pollster::block_on;
use proptest::prelude::*;
use safetensors::SafeTensors;

const KIND: BackboneKind = BackboneKind::MobilenetV2;
const SIDE: usize = 64;
const WEIGHTS: &str = "0123abcd";
const LOOK: Look = Look { threshold: 0.4, smallest: 0.01, fill: true, edges: false };

/// A network that uses all that supports have.
fn segmenter() -> Segmenter {
    segmenter_on(Device::flex())
}

fn segmenter_on(device: Device) -> Segmenter {
    let design = Design { masking: Masking::Hybrid, guided: true, ..Design::default() };
    let header = Header { design, ..Header::hsnet(KIND, [SIDE, SIDE]) };
    Segmenter::new(header, Hsnet::init(KIND, design, &device), device)
}

fn class(number: u8) -> Class {
    Class { number, name: format!("class {number}"), colour: "#12aB90".parse().unwrap() }
}

/// A picture file, and its labels: columns of equal width, one a label.
struct Page {
    key: String,
    file: Vec<u8>,
    labels: Vec<u8>,
}

impl Page {
    fn new(key: &str, seed: usize, columns: &[u8]) -> Self {
        let (width, height) = (100, 80);
        let colour = |x: u32, y: u32| {
            let at = (x as usize * 7 + y as usize * 13) * seed;
            image::Rgb([(at % 251) as u8, (at / 3 % 241) as u8, (x * 2) as u8])
        };
        let mut file = Cursor::new(Vec::new());
        let picture = image::RgbImage::from_fn(width, height, colour);
        picture.write_to(&mut file, image::ImageFormat::Png).unwrap();
        let label = |index: usize| columns[index % width as usize * columns.len() / width as usize];
        let labels = (0..(width * height) as usize).map(label).collect();
        Self { key: key.into(), file: file.into_inner(), labels }
    }

    fn brought(&self) -> Source<'_> {
        Source::Brought(Labelled { key: &self.key, name: "page.png", picture: &self.file, labels: &self.labels })
    }

    fn picture(&self) -> Picture {
        Picture::decode("page.png", &self.file).unwrap()
    }

    fn mask(&self, label: u8) -> Mask {
        let Picture { width, height, .. } = self.picture();
        Mask { width, height, values: self.labels.iter().map(|&value| u8::from(value == label)).collect() }
    }
}

/// What is learned anew, as the progress tells it.
fn learn(known: &Classes, segmenter: &Segmenter, numbers: &[u8], pages: &[&Page]) -> (Classes, usize) {
    let shots: Vec<_> = pages.iter().map(|page| page.brought()).collect();
    let mut told = Vec::new();
    let classes = numbers.iter().map(|&number| class(number)).collect();
    let classes = known.learn(segmenter, classes, &shots, |done, total| told.push((done, total))).unwrap();
    let total = told[0].1;
    assert_eq!(told, (0..=total).map(|done| (done, total)).collect::<Vec<_>>());
    (classes, total)
}

fn values(support: &Support) -> Vec<f32> {
    let levels = support.pyramids().into_iter().flat_map(|(_, pyramid)| pyramid.levels.clone());
    levels.flat_map(|level| level.into_data().iter::<f32>().collect::<Vec<_>>()).collect()
}

fn keys(classes: &Classes) -> Vec<(u8, Vec<&str>)> {
    let keys = classes.learned().iter().map(|learned| {
        let keys = learned.keys.iter().map(|key| key.as_deref().unwrap());
        (learned.class.number, keys.collect())
    });
    keys.collect()
}

#[test]
fn a_class_is_learned_from_every_picture_that_shows_it_as_by_itself() {
    let segmenter = segmenter();
    let (a, b) = (Page::new("a", 3, &[0, 1, 7, 7]), Page::new("b", 5, &[7, UNSURE, 0]));
    let (classes, parts) = learn(&Classes::default(), &segmenter, &[7, 1, 9], &[&a, &b]);
    assert_eq!((parts, classes.shots()), (3, 3));
    assert_eq!(keys(&classes), [(7, vec!["a", "b"]), (1, vec!["a"])]);
    let alone = |page: &Page, unsure| {
        let shot = Shot { picture: page.picture(), mask: page.mask(7), unsure };
        values(&segmenter.learn(&[shot], |_| {}).unwrap().supports()[0])
    };
    let supports = classes.learned()[0].task.supports();
    assert!(values(&supports[0]) == alone(&a, None));
    assert!(values(&supports[1]) == alone(&b, Some(b.mask(UNSURE))));
    assert!(values(&supports[1]) != alone(&b, None));
}

#[test]
fn another_picture_costs_itself_alone_and_one_that_is_gone_is_forgotten() {
    let segmenter = segmenter();
    let (a, b) = (Page::new("a", 3, &[0, 1, 2]), Page::new("b", 5, &[2, 0, 0]));
    let (one, parts) = learn(&Classes::default(), &segmenter, &[1, 2], &[&a]);
    assert_eq!(parts, 2);
    let (both, parts) = learn(&one, &segmenter, &[1, 2], &[&a, &b]);
    assert_eq!((parts, keys(&both)), (1, vec![(1, vec!["a"]), (2, vec!["a", "b"])]));
    let kept = |classes: &Classes| values(&classes.learned()[1].task.supports()[0]);
    assert!(kept(&both) == kept(&one));
    let (rest, parts) = learn(&both, &segmenter, &[2], &[&b]);
    assert_eq!((parts, keys(&rest)), (0, vec![(2, vec!["b"])]));
    let (again, parts) = learn(&rest, &segmenter, &[2], &[&Page::new("b, corrected", 5, &[2, 2, 0])]);
    assert_eq!((parts, keys(&again)), (1, vec![(2, vec!["b, corrected"])]));
}

#[test]
fn a_picture_that_is_known_need_not_be_brought_again() {
    let segmenter = segmenter();
    let (a, b) = (Page::new("a", 3, &[0, 1, 2]), Page::new("b", 5, &[2, 0, 0]));
    let (one, _) = learn(&Classes::default(), &segmenter, &[1, 2], &[&a]);
    let taught = |classes: &Classes| {
        let supports = classes.learned().iter().flat_map(|learned| learned.task.supports());
        supports.map(values).collect::<Vec<_>>()
    };
    let (whole, _) = learn(&one, &segmenter, &[1, 2], &[&a, &b]);
    let by_key = one.learn(&segmenter, vec![class(1), class(2)], &[Source::Known("a"), b.brought()], |_, _| {});
    let by_key = by_key.unwrap();
    assert_eq!(keys(&by_key), keys(&whole));
    assert!(taught(&by_key) == taught(&whole));
    let by_keys = |numbers: &[u8], shots: &[&str]| {
        let classes = numbers.iter().map(|&number| class(number)).collect();
        by_key.learn(&segmenter, classes, &shots.iter().map(|key| Source::Known(key)).collect::<Vec<_>>(), |_, _| {})
    };
    assert_eq!(keys(&by_keys(&[2], &["b", "a"]).unwrap()), [(2, vec!["b", "a"])]);
    assert!(by_keys(&[1, 2], &["a", "c"]).unwrap_err().to_string().contains("the key c teaches is not known"));
    // A class that was not looked for when the picture was brought needs the picture.
    let (old, _) = learn(&Classes::default(), &segmenter, &[2], &[&a]);
    let more = old.learn(&segmenter, vec![class(1), class(2)], &[Source::Known("a")], |_, _| {});
    assert!(matches!(more, Err(LessonError::Unknown(key)) if key == "a"));
}

#[test]
fn what_was_too_small_is_too_small_by_its_key_too() {
    let segmenter = segmenter();
    let mut speck = Page::new("speck", 3, &[0]);
    speck.labels[2] = 1;
    let (both, _) = learn(&Classes::default(), &segmenter, &[1], &[&Page::new("a", 3, &[0, 1]), &speck]);
    let alone = both.learn(&segmenter, vec![class(1)], &[Source::Known("speck")], |_, _| {});
    assert!(matches!(alone, Err(LessonError::TooSmall(_))));
}

#[test]
fn what_cannot_be_learned_is_said() {
    let segmenter = segmenter();
    let page = Page::new("a", 3, &[0, 1]);
    let fail = |classes: Vec<Class>, page: &Page| {
        Classes::default().learn(&segmenter, classes, &[page.brought()], |_, _| {}).map(|_| ()).unwrap_err()
    };
    assert!(matches!(fail(vec![class(2)], &page), LessonError::NothingMarked));
    assert!(matches!(fail(vec![], &page), LessonError::NothingMarked));
    for classes in [vec![class(0)], vec![class(251)], vec![class(1), class(1)]] {
        assert!(matches!(fail(classes, &page), LessonError::Class(_)));
    }
    let mut speck = Page::new("a", 3, &[0]);
    // Of 100 columns 64 are looked at, and this is not one of them.
    speck.labels[2] = 1;
    assert!(fail(vec![class(1)], &speck).to_string().contains("class 1 is too small"));
    let mut short = Page::new("a", 3, &[1]);
    short.labels.pop();
    assert!(fail(vec![class(1)], &short).to_string().contains("page.png: there are 7999 labels for 100 x 80"));
    let broken = Page { file: page.file[..40].to_vec(), ..Page::new("a", 3, &[1]) };
    assert!(fail(vec![class(1)], &broken).to_string().contains("page.png"));
}

#[test]
fn every_shot_of_every_class_says_what_its_task_does() {
    let segmenter = segmenter();
    let (a, b) = (Page::new("a", 3, &[0, 1, 2]), Page::new("b", 5, &[2, 0, 0]));
    let (classes, _) = learn(&Classes::default(), &segmenter, &[2, 1], &[&a, &b]);
    let query = segmenter.features(&[&Page::new("c", 11, &[0]).picture()]);
    let mut told = Vec::new();
    let found = block_on(classes.find(&query, |done| told.push(done))).unwrap().remove(0);
    assert_eq!(told, [1, 2, 3]);
    assert_eq!(found.iter().map(|class| (class.number, class.shots.len())).collect::<Vec<_>>(), [(2, 2), (1, 1)]);
    let expected: Vec<f32> = classes.learned()[0].task.segment(&query, 1).into_data().iter().collect();
    assert_eq!(found[0].shots[1].values, expected);
    let finding = finding(100, 80, &found);
    let read = Finding::from_bytes(&finding.to_bytes()).unwrap();
    assert_eq!((read.width, read.height, read.classes.len()), (100, 80, 2));
    let margins = &read.classes[0].shots[1];
    assert_eq!([margins.height, margins.width], [16, 16]);
    for (place, margin) in margins.values.iter().enumerate() {
        let whole = expected[256 + place] - expected[place];
        assert!((margin - whole).abs() <= 1e-3 * whole.abs().max(1e-3), "{margin} where {whole}");
    }
}

#[test]
fn queries_of_a_batch_are_each_as_if_alone() {
    for (name, device) in devices() {
        let segmenter = segmenter_on(device);
        let (a, b) = (Page::new("a", 3, &[0, 1, 2]), Page::new("b", 5, &[2, 0, 0]));
        let (classes, _) = learn(&Classes::default(), &segmenter, &[2, 1], &[&a, &b]);
        let pictures = [11, 13, 17].map(|seed| Page::new("c", seed, &[0]).picture());
        let mut told = Vec::new();
        let together = segmenter.features(&pictures.each_ref());
        let together = block_on(classes.find(&together, |done| told.push(done))).unwrap();
        assert_eq!((together.len(), told), (3, vec![1, 2, 3]));
        for (picture, together) in pictures.iter().zip(together) {
            let alone = block_on(classes.find(&segmenter.features(&[picture]), |_| {})).unwrap().remove(0);
            for (together, alone) in together.iter().zip(&alone) {
                assert_eq!((together.number, together.shots.len()), (alone.number, alone.shots.len()));
                for (together, alone) in together.shots.iter().zip(&alone.shots) {
                    assert!(distance(&together.values, &alone.values) < 1e-4, "{name}");
                }
            }
        }
    }
}

#[test]
fn a_class_tells_where_its_shots_are_like_a_place() {
    for (_, device) in devices() {
        let segmenter = segmenter_on(device);
        let (a, b) = (Page::new("a", 3, &[0, 2]), Page::new("b", 5, &[2, 0]));
        let (classes, _) = learn(&Classes::default(), &segmenter, &[2], &[&a, &b]);
        let query = segmenter.features(&[&a.picture()]);
        let shots = block_on(classes.why(&query, 2, [0.8, 0.5])).unwrap().unwrap();
        assert_eq!(shots.iter().map(|shot| shot.key.as_deref()).collect::<Vec<_>>(), [Some("a"), Some("b")]);
        for (level, plane) in shots[0].levels.iter().enumerate() {
            assert_eq!([plane.height, plane.width], KIND.planes([SIDE, SIDE])[level]);
            assert!(plane.values.iter().all(|value| (0.0..=1.001).contains(value)));
        }
        // On the finest level the picture's own place is the likest.
        let finest = &shots[0].levels[0];
        let most = (0..64).max_by(|&a, &b| finest.values[a].total_cmp(&finest.values[b])).unwrap();
        assert_eq!([most % 8, most / 8], [6, 4]);
        assert!(block_on(classes.why(&query, 3, [0.8, 0.5])).unwrap().is_none());
    }
}

/// A task of two classes, one with two shots, and its file.
fn saved(segmenter: &Segmenter) -> (Classes, Vec<u8>) {
    let (a, b) = (Page::new("a", 3, &[0, 1, 2]), Page::new("b", 5, &[2, 0, UNSURE]));
    let (classes, _) = learn(&Classes::default(), segmenter, &[2, 1], &[&a, &b]);
    let file = block_on(classes.to_task(segmenter, WEIGHTS, &LOOK)).unwrap();
    (classes, file)
}

#[test]
fn what_a_task_file_brought_stays_when_a_picture_joins_it() {
    let segmenter = segmenter();
    let (opened, _) = Classes::from_task(&saved(&segmenter).1, &segmenter, WEIGHTS).unwrap();
    let another = Page::new("c", 7, &[0, 1, 2]);
    let (joined, parts) = learn(&opened, &segmenter, &[2, 1], &[&another]);
    assert_eq!((joined.shots(), parts), (opened.shots() + 2, 2));
    let (again, parts) = learn(&joined, &segmenter, &[2, 1], &[&another]);
    assert_eq!((again.shots(), parts), (joined.shots(), 0));
    let (pictures, parts) = learn(&joined.of_pictures(&segmenter), &segmenter, &[2, 1], &[&another]);
    assert_eq!((pictures.shots(), parts), (2, 0));
    let mut renamed: Vec<_> = opened.learned().iter().map(|learned| learned.class.clone()).collect();
    renamed[0].name = "another name".into();
    assert_eq!(opened.named(&renamed).learned()[0].class.name, "another name");
}

#[test]
fn a_task_that_was_saved_knows_what_it_knew() {
    let segmenter = segmenter();
    let (classes, file) = saved(&segmenter);
    assert!(file == saved_again(&classes, &segmenter), "saving twice gives two files");
    let (opened, look) = Classes::from_task(&file, &segmenter, WEIGHTS).unwrap();
    assert_eq!(look, LOOK);
    for (opened, learned) in opened.learned().iter().zip(classes.learned()) {
        assert_eq!((&opened.class, opened.task.shots()), (&learned.class, learned.task.shots()));
        assert!(opened.keys.iter().all(Option::is_none));
        for (opened, learned) in opened.task.supports().iter().zip(learned.task.supports()) {
            let (opened, learned) = (values(opened), values(learned));
            assert_eq!(opened.len(), learned.len());
            let near = |(a, b): (&f32, &f32)| (a - b).abs() <= b.abs() * 1e-3 + 1e-7;
            assert!(opened.iter().zip(&learned).all(near));
        }
    }
    assert!(file == saved_again(&opened, &segmenter), "what was opened saves as another file");
    // A picture of the same key as one that the file was made from is not taken to be that one.
    let (_, parts) = learn(&opened, &segmenter, &[2], &[&Page::new("a", 3, &[0, 1, 2])]);
    assert_eq!(parts, 1);
}

fn saved_again(classes: &Classes, segmenter: &Segmenter) -> Vec<u8> {
    block_on(classes.to_task(segmenter, WEIGHTS, &LOOK)).unwrap()
}

fn refusal(file: &[u8], segmenter: &Segmenter) -> TaskFileError {
    Classes::from_task(file, segmenter, WEIGHTS).map(|_| ()).unwrap_err()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(bytes).unwrap();
    packer.finish().unwrap()
}

fn gunzip(file: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    GzDecoder::new(file).read_to_end(&mut bytes).unwrap();
    bytes
}

/// The same file with its header changed.
fn reheaded(file: &[u8], change: impl Fn(&mut serde_json::Value)) -> Vec<u8> {
    let bytes = gunzip(file);
    let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    let text = &metadata.metadata().as_ref().unwrap()["fewseg-task"];
    let mut header: serde_json::Value = serde_json::from_str(text).unwrap();
    change(&mut header);
    let tensors = SafeTensors::deserialize(&bytes).unwrap().tensors();
    let entries = HashMap::from([("fewseg-task".to_string(), header.to_string())]);
    gzip(&safetensors::serialize(tensors, Some(entries)).unwrap())
}

#[test]
fn a_file_that_is_no_whole_task_of_these_weights_is_refused() {
    let segmenter = segmenter();
    let (_, file) = saved(&segmenter);
    let refused = |file: &[u8]| refusal(file, &segmenter);
    for foreign in [b"".as_slice(), b"\x89PNG\r\n", &gunzip(&file)] {
        assert!(matches!(refused(foreign), TaskFileError::Foreign));
    }
    let weights = safetensors::serialize(SafeTensors::deserialize(&gunzip(&file)).unwrap().tensors(), None).unwrap();
    assert!(matches!(refused(&gzip(&weights)), TaskFileError::Foreign));
    assert!(matches!(refused(&gzip(b"{}")), TaskFileError::Damaged(_)));
    for length in [3, 20, file.len() / 2, file.len() - 1] {
        assert!(matches!(refused(&file[..length]), TaskFileError::Damaged(_)), "at {length}");
    }
    let other = Classes::from_task(&file, &segmenter, "ffffffff").map(|_| ()).unwrap_err();
    assert!(matches!(other, TaskFileError::OtherWeights));
    let header = segmenter.header.clone().resized(Some(96));
    let larger = Segmenter::new(header, Hsnet::init(KIND, segmenter.header.design, &Device::flex()), Device::flex());
    assert!(refusal(&file, &larger).to_string().contains("set the size to 64"));

    let changed = |key: &str, value: serde_json::Value| refused(&reheaded(&file, |header| header[key] = value.clone()));
    assert!(matches!(changed("version", 2.into()), TaskFileError::Version(2)));
    assert!(matches!(changed("method", "other".into()), TaskFileError::OtherWeights));
    assert!(matches!(changed("classes", serde_json::json!([])), TaskFileError::Damaged(_)));
    let class =
        |change: &dyn Fn(&mut serde_json::Value)| refused(&reheaded(&file, |header| change(&mut header["classes"][0])));
    let damages: [&dyn Fn(&mut serde_json::Value); 5] = [
        &|class| class["number"] = 1.into(),
        &|class| class["shots"] = 0.into(),
        &|class| class["shots"] = 1.into(),
        &|class| class["shots"] = u64::MAX.into(),
        &|class| class["colour"] = "url(x)".into(),
    ];
    for damage in damages {
        assert!(matches!(class(damage), TaskFileError::Damaged(_)));
    }
    let look = serde_json::json!({ "threshold": 1.5, "smallest": 0, "fill": true, "edges": true });
    assert!(matches!(changed("look", look), TaskFileError::Look));
    let (classes, look) = (saved(&segmenter).0, Look { threshold: f32::NAN, ..LOOK });
    assert!(matches!(block_on(classes.to_task(&segmenter, WEIGHTS, &look)), Err(TaskFileError::Look)));

    let mut bytes = gunzip(&file);
    let last = bytes.len() - 2;
    bytes[last..].copy_from_slice(&[0x00, 0x7E]);
    assert!(matches!(refused(&gzip(&bytes)), TaskFileError::NotFinite));
}

#[test]
fn no_file_makes_it_panic() {
    let segmenter = segmenter();
    let (_, file) = saved(&segmenter);
    let bytes = gunzip(&file);
    // The start, where the header is, is where a change can do most.
    let change = (0..3000usize, any::<u8>(), any::<bool>());
    proptest!(ProptestConfig::with_cases(64), |((place, value, whole) in change)| {
        let mut changed = if whole { file.clone() } else { bytes.clone() };
        let place = place % changed.len();
        changed[place] = value;
        let changed = if whole { changed } else { gzip(&changed) };
        let _ = Classes::from_task(&changed, &segmenter, WEIGHTS);
    });
}
