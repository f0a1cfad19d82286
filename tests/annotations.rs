//! Label maps written as annotation files and read back: by this crate to the pixel, and by the formats' own readers.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use fewseg::annotation::{
    Class, Coco, Colour, Form, IGNORED, Kind, Labels, Pack, Region, components, labelme, read, yolo,
};
use fewseg::image::Mask;
use proptest::prelude::*;
use serde_json::Value;

fn classes() -> Vec<Class> {
    let class = |(number, name): (u8, &str)| Class { number, name: name.into(), colour: Colour([number, 200, 90]) };
    [(1, "duck"), (2, "ein \"Krug\", groß"), (250, "a/b")].map(class).to_vec()
}

/// Rectangles over one another, and single pixels: holes, diagonals, what touches the border.
fn label_maps() -> impl Strategy<Value = Labels> {
    let label = || prop::sample::select(vec![0, 0, 0, 1, 1, 2, 250, IGNORED]);
    (1..28usize, 1..28usize).prop_flat_map(move |(width, height)| {
        let rectangle = (0..width, 0..height, 1..=width, 1..=height, label());
        let pixel = (0..width, 0..height, Just(1), Just(1), label());
        let painted = (prop::collection::vec(rectangle, 0..6), prop::collection::vec(pixel, 0..width * height));
        painted.prop_map(move |(rectangles, pixels)| {
            let mut labels = Labels::empty(width, height);
            for (left, top, across, down, label) in rectangles.into_iter().chain(pixels) {
                for y in top..height.min(top + down) {
                    labels.values[y * width..][left..width.min(left + across)].fill(label);
                }
            }
            labels
        })
    })
}

/// The same without the pixels that are not sure.
fn sure(labels: &Labels) -> Labels {
    let values = labels.values.iter().map(|&label| if label == IGNORED { 0 } else { label }).collect();
    Labels { values, ..labels.clone() }
}

/// What was read, with the numbers of the classes of these names.
fn numbered(names: &[String], read: &Labels) -> Labels {
    let number =
        |name: &String| classes().iter().find(|class| class.name == *name).map_or(IGNORED, |class| class.number);
    let numbers: Vec<u8> = std::iter::once(0).chain(names.iter().map(number)).collect();
    Labels { values: read.values.iter().map(|&label| numbers[usize::from(label)]).collect(), ..read.clone() }
}

fn corners(outline: &[[usize; 2]]) -> Region {
    Region::Polygons(vec![outline.iter().map(|corner| corner.map(|at| at as f64)).collect()])
}

/// Twice the area that an outline encloses, less where it runs the other way (the shoelace formula).
fn doubled_area<T: Copy + Into<f64>>(outline: &[[T; 2]]) -> f64 {
    let next = outline.iter().cycle().skip(1);
    let across = |a: [T; 2], b: [T; 2]| a[0].into() * b[1].into() - a[1].into() * b[0].into();
    outline.iter().zip(next).map(|(&a, &b)| across(a, b)).sum()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn outlines_painted_are_the_labels(labels in label_maps()) {
        let mut painted = Labels::empty(labels.width, labels.height);
        for component in components(&labels) {
            let outlines = component.outlines();
            let mut alone = Labels::empty(labels.width, labels.height);
            corners(&outlines.outer).paint(&mut alone, 1);
            outlines.holes.iter().for_each(|hole| corners(hole).paint(&mut alone, 0));
            prop_assert_eq!(alone.values.iter().filter(|&&label| label == 1).count(), component.area());
            for (whole, part) in painted.values.iter_mut().zip(alone.values) {
                prop_assert!(part == 0 || *whole == 0, "two components have a pixel");
                *whole += part * component.number;
            }
        }
        prop_assert_eq!(painted, sure(&labels));
    }

    #[test]
    fn outlines_turn_at_every_corner_and_enclose_the_area(labels in label_maps()) {
        for component in components(&labels) {
            let outlines = component.outlines();
            let small = |outline: &Vec<[usize; 2]>| -> Vec<[u32; 2]> {
                outline.iter().map(|corner| corner.map(|at| at as u32)).collect()
            };
            let all: Vec<_> = std::iter::once(&outlines.outer).chain(&outlines.holes).map(small).collect();
            for outline in &all {
                for (i, corner) in outline.iter().enumerate() {
                    let before = outline[(i + outline.len() - 1) % outline.len()];
                    let after = outline[(i + 1) % outline.len()];
                    prop_assert!((before[0] == corner[0]) != (after[0] == corner[0]));
                    prop_assert!((before[1] == corner[1]) != (after[1] == corner[1]));
                }
            }
            let doubled: f64 = all.iter().map(|outline| doubled_area(outline)).sum();
            prop_assert_eq!(doubled, 2.0 * component.area() as f64);
        }
    }

    #[test]
    fn areas_and_bounds_are_those_of_the_pixels(labels in label_maps()) {
        let mut areas: BTreeMap<u8, usize> = BTreeMap::new();
        for component in components(&labels) {
            *areas.entry(component.number).or_default() += component.area();
            let ([left, top, width, height], stencil) = (component.bounds(), component.stencil());
            prop_assert_eq!((stencil.width, stencil.height, stencil.area()), (width, height, component.area()));
            let marked = |x: usize, y: usize| stencil.values[y * width + x] == 1;
            prop_assert!((0..height).any(|y| marked(0, y)) && (0..height).any(|y| marked(width - 1, y)));
            prop_assert!((0..width).any(|x| marked(x, 0)) && (0..width).any(|x| marked(x, height - 1)));
            for (x, y) in (0..height).flat_map(|y| (0..width).map(move |x| (x, y))) {
                let label = labels.values[(top + y) * labels.width + left + x];
                prop_assert!(!marked(x, y) || label == component.number);
            }
        }
        for number in [1, 2, 250] {
            let pixels = labels.values.iter().filter(|&&label| label == number).count();
            prop_assert_eq!(areas.get(&number).copied().unwrap_or(0), pixels);
        }
    }

    #[test]
    fn coco_comes_back_to_the_pixel(labels in label_maps(), other in label_maps()) {
        for form in [Form::Polygons, Form::Runs] {
            let mut coco = Coco::new(form, &classes());
            coco.add("other.jpg", &other).unwrap();
            coco.add("folder/one.jpg", &labels).unwrap();
            let file = coco.finish().unwrap();
            let found = read("coco.json", &file, "one.jpg", labels.width, labels.height).unwrap();
            prop_assert_eq!(numbered(&found.names, &found.labels), sure(&labels));
        }
    }

    #[test]
    fn labelme_comes_back_to_the_pixel(labels in label_maps()) {
        let file = labelme::write("one.jpg", &labels, &classes()).unwrap();
        let found = read("one.json", &file, "one.jpg", labels.width, labels.height).unwrap();
        prop_assert_eq!(numbered(&found.names, &found.labels), sure(&labels));
    }

    #[test]
    fn masks_come_back_to_the_pixel(labels in label_maps()) {
        let mut pack = Pack::new(&[Kind::Masks], &classes()).unwrap();
        let file = pack.add("one.jpg", &[], &labels).unwrap().remove(0);
        let found = read(&file.name, &file.bytes, "one.jpg", labels.width, labels.height).unwrap();
        if sure(&labels).values.iter().any(|&label| label != 0) {
            let numbers: Vec<u8> = found.names.iter().map(|name| name.parse().unwrap()).collect();
            let back = found.labels.values.iter().map(|&label| if label == 0 { 0 } else { numbers[usize::from(label) - 1] });
            prop_assert_eq!(back.collect::<Vec<u8>>(), sure(&labels).values);
        }
    }

    #[test]
    fn yolo_encloses_the_areas(labels in label_maps()) {
        let mut areas = [0.0; 3];
        for line in yolo::write(&labels, &classes()).lines() {
            let (class, corners) = line.split_once(' ').unwrap();
            let shares: Vec<f64> = corners.split(' ').map(|share| share.parse().unwrap()).collect();
            prop_assert!(shares.iter().all(|share| (0.0..=1.0).contains(share)));
            areas[class.parse::<usize>().unwrap()] += doubled_area(shares.as_chunks::<2>().0) / 2.0;
        }
        for (class, area) in classes().iter().zip(areas) {
            let pixels = labels.values.iter().filter(|&&label| label == class.number).count() as f64;
            prop_assert!((area * (labels.width * labels.height) as f64 - pixels).abs() < 0.01 * pixels.max(0.5));
        }
    }

    #[test]
    fn no_file_stops_the_program(mut bytes in prop::collection::vec(any::<u8>(), 0..200), place in 0..400usize) {
        let _ = read("any", &bytes, "one.jpg", 3, 2);
        let mut coco = Coco::new(Form::Runs, &classes());
        coco.add("one.jpg", &Labels { width: 3, height: 2, values: vec![1, 0, 2, 1, 1, 0] }).unwrap();
        let mut file = coco.finish().unwrap();
        let (place, byte) = (place % file.len(), bytes.pop().unwrap_or(b'9'));
        file[place] = byte;
        let _ = read("any", &file, "one.jpg", 3, 2);
    }
}

#[test]
fn a_mask_of_black_and_white_is_one_class_without_a_name() {
    let mask = Mask { width: 3, height: 1, values: vec![0, 1, 1] };
    let found = read("m.png", &mask.encode("m").unwrap(), "p.jpg", 3, 1).unwrap();
    assert_eq!((found.names, found.labels.values), (vec![String::new()], vec![0, 1, 1]));
}

#[test]
fn a_palette_or_dark_greys_are_label_numbers() {
    let black_and_white = [0, 0, 0, 255, 255, 255];
    let colours = [0, 0, 0, 200, 0, 0, 0, 200, 0, 0, 0, 200];
    /// Values, palette, and the names and labels that are read.
    type Case<'a> = (&'a [u8], Option<&'a [u8]>, &'a [&'a str], &'a [u8]);
    let cases: [Case; 7] = [
        (&[0, 3, 3, 255], Some(&colours), &["3"], &[0, 1, 1, 255]),
        (&[2, 0, 3, 0], Some(&colours), &["2", "3"], &[1, 0, 2, 0]),
        (&[0, 1, 1, 0], Some(&black_and_white), &[""], &[0, 1, 1, 0]),
        (&[0, 7, 40, 255], None, &["7", "40"], &[0, 1, 2, 255]),
        (&[0, 7, 7, 0], None, &[""], &[0, 1, 1, 0]),
        (&[0, 7, 90, 200], None, &[""], &[0, 0, 0, 1]),
        (&[0, 0, 0, 0], None, &[""], &[0, 0, 0, 0]),
    ];
    for (values, palette, names, labels) in cases {
        let found = read("m.png", &png(values, palette), "p.jpg", 2, 2).unwrap();
        assert_eq!(
            (found.names, found.labels.values),
            (names.iter().map(|name| name.to_string()).collect(), labels.into())
        );
    }
}

/// A PNG of two columns: grey, or of indices into a palette, which is filled up.
fn png(values: &[u8], palette: Option<&[u8]>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 2, values.len() as u32 / 2);
    encoder.set_color(if palette.is_some() { png::ColorType::Indexed } else { png::ColorType::Grayscale });
    if let Some(palette) = palette {
        encoder.set_palette([palette, &vec![255; 768 - palette.len()]].concat());
    }
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(values).unwrap();
    writer.finish().unwrap();
    bytes
}

#[test]
fn what_cannot_be_read_is_named() {
    let mut coco = Coco::new(Form::Polygons, &classes());
    coco.add("one.jpg", &Labels::empty(4, 4)).unwrap();
    let coco = coco.finish().unwrap();
    let labelme = labelme::write("one.jpg", &Labels::empty(4, 4), &classes()).unwrap();
    let mask = Mask::empty(4, 4).encode("m").unwrap();
    let cases: [(&[u8], [usize; 2], &str); 8] = [
        (b"hello", [4, 4], "file: not a readable JPEG, PNG or WebP picture"),
        (b" { \"a\"", [4, 4], "file: the JSON is broken"),
        (b"{\"a\": 1}", [4, 4], "file: neither LabelMe's JSON, with shapes, nor COCO's"),
        (b"{\"shapes\": 1}", [4, 4], "file: not a description as LabelMe writes it"),
        (b"{\"images\": []}", [4, 4], "file: not annotations as COCO writes them"),
        (&coco, [4, 3], "file: it describes 4 x 4 pixels and the picture is 4 x 3"),
        (&labelme, [5, 4], "file: it describes 4 x 4 pixels and the picture is 5 x 4"),
        (&mask, [5, 4], "file: the mask is 4 x 4 pixels and the picture 5 x 4"),
    ];
    for (bytes, [width, height], expected) in cases {
        let error = read("file", bytes, "one.jpg", width, height).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    let error = read("file", &coco, "two.jpg", 4, 4).unwrap_err().to_string();
    assert!(error.contains("it knows 1 pictures but none called two.jpg"), "{error}");
}

#[test]
fn files_are_named_after_pictures_and_classes() {
    let class = |number, name: &str| Class { number, name: name.into(), colour: Colour([number, 200, 90]) };
    let classes = [class(1, "a/b"), class(2, "a:b"), class(3, ""), class(4, "cup"), class(5, "unseen")];
    let kinds = [Kind::Masks, Kind::Cutouts, Kind::Overlays, Kind::Coco, Kind::CocoRle, Kind::Labelme, Kind::Yolo];
    let mut pack = Pack::new(&kinds, &classes).unwrap();
    let labels = Labels { width: 4, height: 1, values: vec![1, 2, 3, 4] };
    let files = pack.add("folder/my.duck.JPG", &Mask::empty(1, 4).encode("p").unwrap(), &labels).unwrap();
    let names: Vec<_> = files.iter().chain(&pack.finish().unwrap()).map(|file| file.name.clone()).collect();
    let expected = [
        "masks/my.duck.png",
        "cutouts/my.duck-a_b.png",
        "cutouts/my.duck-a_b_2.png",
        "cutouts/my.duck-3.png",
        "cutouts/my.duck-cup.png",
        "overlays/my.duck.jpg",
        "labelme/my.duck.json",
        "yolo/labels/my.duck.txt",
        "coco.json",
        "coco-rle.json",
        "yolo/data.yaml",
    ];
    assert_eq!(names, expected);
    assert!(Pack::new(&kinds, &[class(0, "none")]).is_err());
    assert!(Pack::new(&kinds, &[class(2, "one"), class(2, "other")]).is_err());
}

#[test]
fn no_two_cutouts_have_one_name() {
    let class = |number, name: &str| Class { number, name: name.into(), colour: Colour([number, 200, 90]) };
    let names = ["a-b", "b", "B", "b_3", "3", "", "6", "A_b"];
    let classes: Vec<_> = (1..).zip(names).map(|(number, name)| class(number, name)).collect();
    let mut pack = Pack::new(&[Kind::Cutouts], &classes).unwrap();
    let labels = Labels { width: 8, height: 1, values: (1..=8).collect() };
    let picture = Mask::empty(1, 8).encode("p").unwrap();
    let mut files = BTreeSet::new();
    for name in ["p.jpg", "p-a.jpg", "p-a-b.jpg", "p_a.jpg"] {
        files.extend(pack.add(name, &picture, &labels).unwrap().into_iter().map(|file| file.name.to_lowercase()));
    }
    assert_eq!(files.len(), 4 * classes.len(), "{files:?}");
}

#[test]
fn coco_need_not_say_areas() {
    let mut coco = Coco::new(Form::Polygons, &classes());
    let labels = Labels { width: 3, height: 1, values: vec![0, 2, 2] };
    coco.add("one.jpg", &labels).unwrap();
    let mut file: Value = serde_json::from_slice(&coco.finish().unwrap()).unwrap();
    assert_eq!(file["annotations"][0].as_object_mut().unwrap().remove("area"), Some(2.0.into()));
    let found = read("coco.json", file.to_string().as_bytes(), "one.jpg", 3, 1).unwrap();
    assert_eq!(numbered(&found.names, &found.labels), labels);
}

/// Pictures of three classes with what is hard: rings around other classes, gaps at corners, single pixels, lines, the
/// border, and nothing at all.
fn scenes() -> BTreeMap<&'static str, Labels> {
    let scene = |width: usize, height: usize, label: &dyn Fn(f64, f64) -> u8| {
        let values = (0..width * height).map(|i| label((i % width) as f64, (i / width) as f64)).collect();
        Labels { width, height, values }
    };
    let rings = scene(160, 120, &|x, y| match (x - 70.0).hypot(y - 60.0) {
        0.0..12.0 => 2,
        20.0..40.0 => 1,
        44.0..46.0 => 250,
        _ if x > 150.0 || y < 5.0 => 2,
        _ => 0,
    });
    let lines = scene(61, 47, &|x, y| match (x as usize, y as usize) {
        (x, y) if x == y || x + y == 46 => 1,
        (x, y) if x % 8 == 5 && y % 3 != 0 => 2,
        (_, y) if y % 11 == 7 => 250,
        _ => 0,
    });
    let mut state = 7u32;
    let noise = (0..40 * 30).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        [0, 1, 1, 2, 250, 0, 1, IGNORED][(state >> 29) as usize]
    });
    let noise = Labels { width: 40, height: 30, values: noise.collect() };
    BTreeMap::from([("empty", Labels::empty(9, 7)), ("lines", lines), ("noise", noise), ("rings", rings)])
}

fn pixels(labels: &Labels) -> BTreeMap<u8, u64> {
    let mut pixels = BTreeMap::new();
    for &label in sure(labels).values.iter().filter(|&&label| label != 0) {
        *pixels.entry(label).or_default() += 1;
    }
    pixels
}

#[test]
fn their_own_readers_find_the_same_areas() {
    let folder = tempfile::tempdir().unwrap();
    let kinds = [Kind::Masks, Kind::Cutouts, Kind::Coco, Kind::CocoRle, Kind::Labelme];
    let mut pack = Pack::new(&kinds, &classes()).unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    };
    for (name, labels) in scenes() {
        let picture = Mask::empty(labels.height, labels.width).encode(name).unwrap();
        let files = pack.add(&format!("{name}.png"), &picture, &labels).unwrap();
        files.iter().for_each(|file| write(&file.name, &file.bytes));
        // LabelMe's files belong beside their pictures.
        write(&format!("labelme/{name}.png"), &picture);
    }
    pack.finish().unwrap().iter().for_each(|file| write(&file.name, &file.bytes));

    let areas = areas(folder.path());
    for kind in ["coco", "coco-rle"] {
        let names = classes().iter().map(|class| (class.number.to_string(), class.name.clone().into())).collect();
        assert_eq!(areas[kind]["names"], Value::Object(names));
    }
    for (name, labels) in scenes() {
        for kind in ["coco", "coco-rle"] {
            let found = areas[kind]["pictures"][format!("{name}.png")].as_array().unwrap();
            assert_eq!(found.len(), components(&labels).len(), "{kind} of {name}");
            let mut counted: BTreeMap<u8, u64> = BTreeMap::new();
            for (annotation, component) in found.iter().zip(components(&labels)) {
                assert_eq!(annotation["pixels"], component.area(), "{kind} of {name}");
                assert_eq!(annotation["area"].as_f64(), Some(component.area() as f64));
                assert_eq!(annotation["bbox"], annotation["box"], "{kind} of {name}");
                assert_eq!(annotation["crowd"], 0);
                *counted.entry(annotation["number"].as_u64().unwrap() as u8).or_default() += component.area() as u64;
            }
            assert_eq!(counted, pixels(&labels), "{kind} of {name}");
        }
        let by_number: BTreeMap<String, u64> = pixels(&labels).iter().map(|(n, area)| (n.to_string(), *area)).collect();
        assert_eq!(areas["masks"][name], serde_json::to_value(&by_number).unwrap(), "mask of {name}");
        let shown = classes().into_iter().filter(|class| by_number.contains_key(&class.number.to_string()));
        let by_name: BTreeMap<String, u64> =
            shown.map(|class| (class.name, by_number[&class.number.to_string()])).collect();
        assert_eq!(areas["labelme"][name], serde_json::to_value(&by_name).unwrap(), "LabelMe's shapes of {name}");
        for (class, file) in [("duck", "duck"), ("ein \"Krug\", groß", "ein _Krug_, groß"), ("a/b", "a_b")] {
            let cutout = areas["cutouts"].get(format!("{name}-{file}")).and_then(Value::as_u64);
            assert_eq!(cutout, by_name.get(class).copied(), "cut-out of {class} in {name}");
        }
    }
}

/// What the formats' own readers, in Python, say of the files in a folder.
fn areas(folder: &Path) -> Value {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = crate_folder.join("target/readers/bin/python");
    assert!(
        python.exists(),
        "the readers of annotation files are not installed in target/readers: run scripts/install-test-tools.sh, or make \
         test, which does so"
    );
    let output = Command::new(python).arg(crate_folder.join("tests/readers/areas.py")).arg(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
