//! Figures: counted by a second implementation, and asked of a network whose answer is known.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use burn::tensor::Device;
use common::command::{KIND, complaint, folder, golden, run};
use common::{distance, formula_checkpoint};
use fewseg::episode::{Episode, Shot};
use fewseg::evaluate::{Batch, Candidate};
use fewseg::image::{Mask, Picture};
use fewseg::metric::{Overlap, Score};
use fewseg::predict;
use fewseg::weights;
use image::GrayImage;
use proptest::prelude::*;
use serde_json::Value;
use tempfile::TempDir;

/// A mask, a prediction and what to ignore, of one class.
#[derive(Clone, Debug)]
struct Counted {
    class: usize,
    prediction: Vec<bool>,
    truth: Vec<bool>,
    ignore: Option<Vec<bool>>,
}

fn counted() -> impl Strategy<Value = Counted> {
    (0..4usize, 1..40usize).prop_flat_map(|(class, pixels)| {
        let pixels = || prop::collection::vec(any::<bool>(), pixels);
        (pixels(), pixels(), prop::option::of(pixels())).prop_map(move |(prediction, truth, ignore)| Counted {
            class,
            prediction,
            truth,
            ignore,
        })
    })
}

fn mask(values: &[bool]) -> Mask {
    Mask { width: values.len(), height: 1, values: values.iter().map(|&value| u8::from(value)).collect() }
}

/// All pixels of a class, each by its episode and its place, that `side` calls object (or background).
fn pixels(episodes: &[Counted], class: usize, object: bool, side: fn(&Counted) -> &[bool]) -> BTreeSet<(usize, usize)> {
    let of_class = episodes.iter().enumerate().filter(|(_, episode)| episode.class == class);
    of_class
        .flat_map(|(number, episode)| {
            let counts = move |&place: &usize| episode.ignore.as_ref().is_none_or(|ignore| !ignore[place]);
            let places = (0..episode.truth.len()).filter(counts);
            places.filter(move |&place| side(episode)[place] == object).map(move |place| (number, place))
        })
        .collect()
}

proptest! {
    /// The published definition in sets of pixels: intersection over union, summed over a class's episodes first.
    #[test]
    fn two_implementations_count_alike(episodes in prop::collection::vec(counted(), 0..12)) {
        let classes = 0..5;
        let mut score = Score::over(classes.clone());
        for episode in &episodes {
            let ignore = episode.ignore.as_deref().map(mask);
            let prediction = episode.prediction.iter().copied();
            score.add(episode.class, &Overlap::count(prediction, &mask(&episode.truth), ignore.as_ref()));
        }

        let sets = |class, object| {
            let prediction = pixels(&episodes, class, object, |episode| &episode.prediction);
            let truth = pixels(&episodes, class, object, |episode| &episode.truth);
            (prediction.intersection(&truth).count(), prediction.union(&truth).count())
        };
        let ratio = |(common, all): (usize, usize)| if all == 0 { 0.0 } else { common as f64 / all as f64 };
        let all = |object| {
            let sets = classes.clone().map(|class| sets(class, object));
            sets.fold((0, 0), |sum, set| (sum.0 + set.0, sum.1 + set.1))
        };
        let miou = 100.0 * classes.clone().map(|class| ratio(sets(class, true))).sum::<f64>() / 5.0;
        let fb_iou = 100.0 * (ratio(all(false)) + ratio(all(true))) / 2.0;
        prop_assert!((score.miou() - miou).abs() < 1e-9, "{} is not {miou}", score.miou());
        prop_assert!((score.fb_iou() - fb_iou).abs() < 1e-9, "{} is not {fb_iou}", score.fb_iou());

        let by_class: BTreeMap<usize, Overlap> = score.by_class().collect();
        for class in classes {
            let (background, object) = (sets(class, false), sets(class, true));
            let expected = Overlap {
                intersection: [background.0 as u64, object.0 as u64],
                union: [background.1 as u64, object.1 as u64],
            };
            prop_assert_eq!(by_class[&class], expected);
        }
    }
}

/// Counted by hand: 6 pixels, one ignored; right are 2 of object and 1 of background, wrong one of either.
#[test]
fn a_small_case_by_hand() {
    let truth = mask(&[true, true, true, false, false, true]);
    let ignore = mask(&[false, false, false, false, false, true]);
    let overlap = Overlap::count([true, true, false, false, true, false], &truth, Some(&ignore));
    assert_eq!((overlap.intersection, overlap.union), ([1, 2], [3, 4]));
    assert_eq!(overlap.iou(), 50.0);
    let mut score = Score::over([7]);
    score.add(7, &overlap);
    assert_eq!(score.miou(), 50.0);
    assert!((score.fb_iou() - 100.0 * (1.0 / 3.0 + 2.0 / 4.0) / 2.0).abs() < 1e-9);
}

fn read(name: &str) -> Vec<u8> {
    fs::read(golden(name)).unwrap()
}

fn shot(picture: &str, mask: &str) -> Shot {
    Shot {
        picture: Picture::decode(picture, &read(picture)).unwrap(),
        mask: Mask::decode(mask, &read(mask)).unwrap(),
        unsure: None,
    }
}

fn candidate(size: usize) -> Candidate {
    let device = Device::flex();
    let (header, network) = weights::import_arrays(formula_checkpoint(KIND), KIND, &device).unwrap();
    Candidate { header: weights::Header { size: [size; 2], ..header }, network, device }
}

fn episode(supports: Vec<Shot>, query: Shot) -> Episode {
    Episode { class: 0, supports, query, ignore: None }
}

#[test]
fn imported_weights_give_the_reference_mask() {
    let (query, support) = (shot("query.png", "mask_mobilenetv2.png"), shot("support.png", "support_mask.png"));
    let expected = query.mask.clone();
    let candidate = candidate(400);
    let batch = Batch::of(&[episode(vec![support], query)], &candidate.header, candidate.network.kind());
    let found = predict::mask(&candidate.logits(batch).unwrap()[0], 400, 400, candidate.header.threshold);
    let differing = found.values.iter().zip(&expected.values).filter(|(a, b)| a != b).count();
    // A pixel whose two logits agree to seven digits may fall on either side.
    assert!(differing <= 8, "{differing} of the mask's pixels differ");
}

#[test]
fn episodes_side_by_side_find_what_each_finds_alone() {
    let (a, b) = (shot("query.png", "mask_mobilenetv2.png"), shot("support.png", "support_mask.png"));
    let episodes = [
        episode(vec![b.clone(), a.clone()], a.clone()),
        episode(vec![a.clone(), b.clone()], a.clone()),
        episode(vec![a.clone(), a], b),
    ];
    let candidate = candidate(96);
    let together = candidate.logits(Batch::of(&episodes, &candidate.header, candidate.network.kind())).unwrap();
    for (episode, together) in episodes.iter().zip(&together) {
        let alone = candidate
            .logits(Batch::of(std::slice::from_ref(episode), &candidate.header, candidate.network.kind()))
            .unwrap();
        assert_eq!((together.len(), alone[0].len()), (2, 2));
        for (together, alone) in together.iter().zip(&alone[0]) {
            assert!(distance(&together.values, &alone.values) < 1e-4);
        }
    }
    let other = distance(&together[0][0].values, &together[0][1].values);
    assert!(other > 1e-3, "two supports say the same");
}

/// The class number of aeroplanes; pixels of 255 are ignored.
const AEROPLANE: u8 = 1;
const BUS: u8 = 6;
/// Ignored rows at the top of every picture.
const IGNORED: usize = 10;

/// A PASCAL of few pictures; what a file holds decides, not its name.
struct Pascal {
    _folder: TempDir,
    weights: String,
    root: String,
}

impl Pascal {
    /// Fold 0 and fold 1 of two pictures each: in the first of each fold, the truth is what the weights find in it.
    fn new() -> Self {
        let (folder, weights) = folder();
        let root = folder.path().join("VOC<1>");
        for (name, class) in [("plane", AEROPLANE), ("bus", BUS)] {
            add(&root, &format!("{name}-query"), class, "query.png", "mask_mobilenetv2.png");
            add(&root, &format!("{name}-support"), class, "support.png", "support_mask.png");
        }
        fs::create_dir_all(root.join("lists/val")).unwrap();
        fs::write(root.join("lists/val/fold0.txt"), "plane-query__01\nplane-support__01\n").unwrap();
        fs::write(root.join("lists/val/fold1.txt"), "bus-query__06\nbus-support__06\n").unwrap();
        fs::write(root.join("lists/val/fold2.txt"), "").unwrap();
        Self { root: root.display().to_string(), weights, _folder: folder }
    }

    fn path(&self, name: &str) -> String {
        Path::new(&self.root).join(name).display().to_string()
    }

    /// Calls `eval` with the published protocol.
    fn arguments<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        let to = ["eval", "--data", &self.root, "--weights", &self.weights, "--protocol", "hsnet"];
        [&to, more].concat()
    }

    fn json(&self, more: &[&str]) -> Value {
        let file = self.path("figures.json");
        run(&self.arguments(&[more, &["--json", &file]].concat()));
        serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
    }
}

fn add(root: &Path, name: &str, class: u8, picture: &str, mask: &str) {
    for folder in ["JPEGImages", "SegmentationClassAug"] {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    fs::copy(golden(picture), root.join(format!("JPEGImages/{name}.jpg"))).unwrap();
    let mask = Mask::decode(mask, &read(mask)).unwrap();
    let mut labels: Vec<u8> = mask.values.iter().map(|value| value * class).collect();
    labels[..IGNORED * mask.width].fill(255);
    let labels = GrayImage::from_raw(mask.width as u32, mask.height as u32, labels).unwrap();
    labels.save(root.join(format!("SegmentationClassAug/{name}.png"))).unwrap();
}

/// The pixels that an episode counted: each is background of one side, or object of both.
fn pixels_of(episode: &Value) -> u64 {
    episode["union"][0].as_u64().unwrap() + episode["intersection"][1].as_u64().unwrap()
}

fn figure(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

#[test]
fn eval_finds_the_reference_mask() {
    let pascal = Pascal::new();
    let json = pascal.json(&["--fold", "0", "--episodes", "1"]);
    let fold = &json["folds"][0];
    let episode = &fold["episodes"][0];
    assert!(episode["query"].as_str().unwrap().contains("plane-query"));
    assert!(episode["supports"][0].as_str().unwrap().contains("plane-support"));
    // The weights went through half precision.
    assert!(figure(&episode["iou"]) > 99.0, "{episode}");
    assert_eq!(pixels_of(episode), 400 * (400 - IGNORED as u64));
    let class = &fold["classes"][0];
    assert_eq!(
        (class["name"].as_str(), class["id"].as_u64(), class["episodes"].as_u64()),
        (Some("aeroplane"), Some(0), Some(1))
    );
    assert_eq!((&class["iou"], &class["intersection"]), (&episode["iou"], &episode["intersection"]));
    assert_eq!((&fold["miou"], &json["mean"]["miou"]), (&class["iou"], &class["iou"]));
    assert!(figure(&fold["fb_iou"]) > 99.0);
    assert_eq!((&json["protocol"], &json["shots"], &json["seed"]), (&"hsnet".into(), &1.into(), &0.into()));
    assert_eq!((&json["format"], &json["split"], &fold["fold"]), (&"pascal".into(), &"test".into(), &0.into()));
    assert_eq!(fold["header"]["backbone"], "mobilenetv2");
}

#[test]
fn eval_counts_at_the_size_that_was_asked_for() {
    let pascal = Pascal::new();
    let asked = ["--fold", "0", "--episodes", "3", "--size", "64"];
    let small = pascal.json(&asked);
    for episode in small["folds"][0]["episodes"].as_array().unwrap() {
        // Of 64 rows, those that fall onto the first 10 of 400.
        assert_eq!(pixels_of(episode), 64 * (64 - 2));
    }
    let original = pascal.json(&[&asked[..], &["--original-size"]].concat());
    for episode in original["folds"][0]["episodes"].as_array().unwrap() {
        assert_eq!(pixels_of(episode), 400 * (400 - IGNORED as u64));
    }
}

#[test]
fn eval_gives_the_same_figures_on_any_device_however_it_is_cut_into_batches_and_threads() {
    let pascal = Pascal::new();
    let asked = ["--fold", "0", "--episodes", "5", "--shot", "2", "--size", "64"];
    let episodes = |more: &[&str]| {
        let json = pascal.json(&[&asked[..], more].concat());
        json["folds"][0]["episodes"].as_array().unwrap().clone()
    };
    let alone = episodes(&["--batch", "1", "--workers", "1"]);
    assert_eq!(alone.len(), 5);
    for others in [episodes(&["--batch", "3", "--workers", "2"]), episodes(&["--batch", "3", "--device", "wgpu"])] {
        assert_eq!(others.len(), 5);
        for (one, other) in alone.iter().zip(&others) {
            assert_eq!((&one["query"], &one["supports"]), (&other["query"], &other["supports"]));
            assert_eq!(one["supports"].as_array().unwrap().len(), 2);
            assert!((figure(&one["iou"]) - figure(&other["iou"])).abs() < 0.5, "{one} {other}");
        }
    }
}

#[test]
fn eval_of_several_folds_tells_their_mean() {
    let pascal = Pascal::new();
    let asked = ["--fold", "0,1", "--episodes", "2", "--size", "64"];
    let json = pascal.json(&asked);
    let folds = json["folds"].as_array().unwrap();
    assert_eq!((&folds[0]["fold"], &folds[1]["fold"]), (&0.into(), &1.into()));
    assert_eq!(folds[1]["classes"][0]["name"], "bus");
    for name in ["miou", "fb_iou"] {
        let mean = (figure(&folds[0][name]) + figure(&folds[1][name])) / 2.0;
        assert!((figure(&json["mean"][name]) - mean).abs() < 1e-9);
    }
    let table = run(&pascal.arguments(&[&asked[..], &["--weights", &pascal.weights]].concat()));
    let row = |name: &str| table.lines().find(|line| line.starts_with(name)).unwrap().split_whitespace().count();
    assert_eq!((row("mIoU"), row("FB-IoU"), row("episodes")), (4, 4, 4), "{table}");
    assert!(table.contains("fold 0") && table.contains("fold 1") && table.contains("mean"), "{table}");
    assert!(table.contains("aeroplane") && table.contains("bus") && table.contains("1-shot"), "{table}");
}

#[test]
fn the_report_holds_all_that_it_shows() {
    let pascal = Pascal::new();
    let file = pascal.path("report.html");
    run(&pascal.arguments(&["--fold", "0,1", "--episodes", "3", "--shot", "2", "--size", "64", "--report", &file]));
    let html = fs::read_to_string(file).unwrap();
    assert!(!html.contains("http://") && !html.contains("https://"), "it asks for something");
    for attribute in ["src=\"", "href=\"", "url("] {
        assert!(html.split(attribute).skip(1).all(|rest| rest.starts_with("data:image/jpeg;base64,")), "{attribute}");
    }
    // Of each fold one best, one median and one worst, with two supports, the truth and the prediction.
    assert_eq!(html.matches("<img ").count(), 2 * 3 * 4);
    for text in ["VOC&lt;1&gt;", "aeroplane", "bus", "plane-query", "Best", "Median", "Worst", "prefers-color-scheme"] {
        assert!(html.contains(text), "{text} is missing");
    }
    assert!(!html.contains("VOC<1>"), "a name was taken for a tag");
}

#[test]
fn folders_of_ones_own_are_asked_whole() {
    let (folder, weights) = folder();
    for side in ["images/thing", "masks/thing"] {
        fs::create_dir_all(folder.path().join("own").join(side)).unwrap();
    }
    for (name, picture, mask) in [("a", "query.png", "mask_mobilenetv2.png"), ("b", "support.png", "support_mask.png")]
    {
        fs::copy(golden(picture), folder.path().join(format!("own/images/thing/{name}.png"))).unwrap();
        fs::copy(golden(mask), folder.path().join(format!("own/masks/thing/{name}.png"))).unwrap();
    }
    let own = folder.path().join("own").display().to_string();
    let asked = ["eval", "--data", &own, "--weights", &weights, "--size", "64", "--episodes", "2"];
    let table = run(&asked);
    assert!(table.contains("thing") && table.contains("2 episodes") && !table.contains("mean"), "{table}");
    let folds = complaint(&[&asked[..], &["--fold", "0"]].concat());
    assert!(folds.contains("no folds") && folds.contains("--fold"), "{folds}");
}

#[test]
fn figures_of_a_subset_say_so() {
    let pascal = Pascal::new();
    let list = Path::new(&pascal.root).join("lists/val/fold0.txt");
    fs::write(&list, fs::read_to_string(&list).unwrap() + "lost__01\nplane-query__02\n").unwrap();
    let asked = ["--fold", "0", "--episodes", "2", "--size", "64", "--protocol", "fewseg"];
    let asked = [&pascal.arguments(&[])[..5], &asked].concat();
    assert!(complaint(&asked).contains("lost"));
    let table = run(&[&asked[..], &["--skip-missing"]].concat());
    assert!(table.contains("a subset") && table.contains("too few pictures"), "{table}");
    assert!(table.contains("bicycle") && !table.contains("  bicycle"), "a class that cannot be asked counts: {table}");
}

#[test]
fn what_is_wrong_with_an_evaluation_is_said_in_a_sentence() {
    let pascal = Pascal::new();
    let complaint = |more: &[&str]| complaint(&pascal.arguments(more));
    let missing = complaint(&[]);
    assert!(missing.contains("folds") && missing.contains("--fold 0"), "{missing}");
    let unknown = complaint(&["--fold", "7"]);
    assert!(unknown.contains("no fold 7"), "{unknown}");
    let empty = complaint(&["--fold", "2"]);
    assert!(empty.contains("no classes") && empty.contains("--split"), "{empty}");
    let weights = complaint(&["--fold", "0", "--weights", &pascal.weights]);
    assert!(weights.contains("2 files for 1 fold"), "{weights}");
    let nowhere = complaint(&["--fold", "0", "--json", "nowhere/figures.json"]);
    assert!(nowhere.contains("nowhere/figures.json") && nowhere.contains("folder"), "{nowhere}");
    let damaged = pascal.path("damaged.safetensors");
    fs::write(&damaged, b"not weights").unwrap();
    let root = pascal.root.as_str();
    let damaged = common::command::complaint(&["eval", "--data", root, "--fold", "0", "--weights", &damaged]);
    assert!(damaged.contains("damaged.safetensors"), "{damaged}");
}
