//! The commands, as they are called.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use burn::tensor::Device;
use common::command::{complaint, fewseg, folder, golden, run, sentence};
use common::distance;
use fewseg::annotation::{self, Labels};
use fewseg::classes::{Class, Classes, Labelled, Source};
use fewseg::hsnet::Segmenter;
use fewseg::image::Mask;
use fewseg::predict::Look;
use fewseg::weights;
use safetensors::SafeTensors;

fn support() -> String {
    format!("{}:{}", golden("support.png"), golden("support_mask.png"))
}

fn mask(path: &Path) -> Mask {
    Mask::decode("mask", &fs::read(path).unwrap()).unwrap()
}

#[test]
fn segment_writes_the_reference_mask_and_logits() {
    let (folder, weights) = folder();
    let out = folder.path().join("out");
    run(&[
        "segment",
        "--support",
        &support(),
        "--query",
        &golden("query.png"),
        "--out",
        out.to_str().unwrap(),
        "--weights",
        &weights,
        "--save-logits",
        "--no-edges",
    ]);
    let (found, expected) = (mask(&out.join("query.png")), mask(Path::new(&golden("mask_mobilenetv2.png"))));
    let differing = found.values.iter().zip(&expected.values).filter(|(a, b)| a != b).count();
    // The weights went through half precision.
    assert!(differing < expected.values.len() / 200, "{differing} pixels differ");

    let npy = fs::read(out.join("query.npy")).unwrap();
    let header = u16::from_le_bytes([npy[8], npy[9]]) as usize + 10;
    assert!(npy.starts_with(b"\x93NUMPY\x01\x00") && header.is_multiple_of(64));
    assert!(String::from_utf8_lossy(&npy[10..header]).contains("'shape': (2, 100, 100)"));
    let floats = |bytes: &[u8]| -> Vec<f32> {
        bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
    };
    let reference = fs::read(golden("hsnet_mobilenetv2.safetensors")).unwrap();
    let reference = SafeTensors::deserialize(&reference).unwrap();
    let expected = floats(reference.tensor("logits").unwrap().data());
    assert!(distance(&floats(&npy[header..]), &expected) < 1e-2);
}

#[test]
fn segment_does_to_masks_what_it_is_asked() {
    let (folder, weights) = folder();
    let (support, query, out) = (support(), golden("query.png"), folder.path().join("out"));
    let segment = |asked: &[&str]| {
        let arguments = ["segment", "--support", &support, "--query", &query, "--weights", &weights, "--out"];
        run(&[&arguments, [out.to_str().unwrap()].as_slice(), asked].concat());
        mask(&out.join("query.png"))
    };
    let plain = segment(&["--no-edges"]);
    assert_ne!(segment(&[]), plain);
    assert_eq!(segment(&["--no-edges", "--edges"]), segment(&[]));
    assert_eq!(segment(&["--no-edges", "--smallest", "1"]).area(), 0);
    let filled = segment(&["--no-edges", "--fill"]);
    assert!(filled.values.iter().zip(&plain.values).all(|(filled, plain)| filled >= plain));
    assert_eq!(segment(&["--no-edges", "--fill", "--no-fill"]), plain);
}

#[test]
fn segment_takes_folders_other_sizes_and_several_shots() {
    let (folder, weights) = folder();
    let queries = folder.path().join("queries");
    fs::create_dir(&queries).unwrap();
    fs::copy(golden("query.png"), queries.join("a.png")).unwrap();
    fs::copy(golden("support.png"), queries.join("b.png")).unwrap();
    fs::write(queries.join("notes.txt"), "not a picture").unwrap();
    let out = folder.path().join("out");
    let (support, queries, out_name) = (support(), queries.display().to_string(), out.display().to_string());
    run(&[
        "segment",
        "--support",
        &support,
        "--support",
        &support,
        "--query",
        &queries,
        "--out",
        &out_name,
        "--weights",
        &weights,
        "--size",
        "96",
    ]);
    for name in ["a.png", "b.png"] {
        let mask = mask(&out.join(name));
        assert_eq!((mask.width, mask.height), (400, 400));
    }
}

#[test]
fn queries_that_are_looked_at_together_cost_each_other_nothing() {
    let (folder, weights) = folder();
    let queries = folder.path().join("queries");
    fs::create_dir(&queries).unwrap();
    fs::copy(golden("query.png"), queries.join("a.png")).unwrap();
    fs::write(queries.join("b.png"), "not a picture").unwrap();
    fs::copy(golden("support.png"), queries.join("c.png")).unwrap();
    let [alone, together] = ["1", "2"].map(|batch| {
        let out = folder.path().join(batch);
        let to = ["--out", out.to_str().unwrap(), "--size", "96", "--batch", batch, "--no-edges"];
        let from = ["segment", "--support", &support(), "--query", queries.to_str().unwrap(), "--weights", &weights];
        let told = complaint(&[&from, &to[..]].concat());
        assert!(told.contains("b.png") && told.contains("1 of 3 queries"), "{told}");
        ["a.png", "c.png"].map(|name| mask(&out.join(name)).values)
    });
    for (alone, together) in alone.iter().zip(&together) {
        let differing = alone.iter().zip(together).filter(|(a, b)| a != b).count();
        assert!(differing <= 8 && alone.contains(&1), "{differing} pixels differ");
    }
}

#[test]
fn segment_finds_the_same_on_a_gpu() {
    let (folder, weights) = folder();
    let (support, query) = (support(), golden("query.png"));
    let [cpu, wgpu] = ["cpu", "wgpu"].map(|device| {
        let out = folder.path().join(device);
        let to = ["--out", out.to_str().unwrap(), "--device", device, "--size", "96"];
        run(&[&["segment", "--support", &support, "--query", &query, "--weights", &weights], &to[..]].concat());
        mask(&out.join("query.png")).values
    });
    let differing = cpu.iter().zip(&wgpu).filter(|(a, b)| a != b).count();
    assert!(differing <= 8 && cpu.contains(&1) && cpu.contains(&0), "{differing} pixels differ");
}

/// Saves a task from the golden support, and gives its path and the mask found beside it.
fn save_task(folder: &Path, weights: &str) -> (String, Mask) {
    let (task, out) = (folder.join("thing.task").display().to_string(), folder.join("direct"));
    let to = ["--out", out.to_str().unwrap(), "--weights", weights, "--save-task", &task];
    run(&[&["segment", "--support", &support(), "--query", &golden("query.png")], &to[..]].concat());
    (task, mask(&out.join("query.png")))
}

#[test]
fn a_saved_task_finds_what_its_supports_do_and_the_same_each_time() {
    let (folder, weights) = folder();
    let (task, direct) = save_task(folder.path(), &weights);
    let by_task = |name: &str| {
        let out = folder.path().join(name);
        let to = ["--out", out.to_str().unwrap(), "--weights", &weights, "--save-logits"];
        run(&[&["segment", "--task", &task, "--query", &golden("query.png")], &to[..]].concat());
        ["query.png", "query.npy"].map(|file| fs::read(out.join(file)).unwrap())
    };
    let (first, second) = (by_task("first"), by_task("second"));
    assert!(first == second, "the same task found something else");
    let found = mask(&folder.path().join("first/query.png"));
    let differing = found.values.iter().zip(&direct.values).filter(|(a, b)| a != b).count();
    // The features went through half precision.
    assert!(differing <= 16 && found.area() > 0, "{differing} pixels differ");
}

/// What comes through a pipe is gone once it is read.
#[cfg(unix)]
#[test]
fn a_task_is_saved_of_weights_that_are_read_once() {
    let (folder, weights) = folder();
    let pipe = folder.path().join("pipe.safetensors");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (end, bytes) = (pipe.clone(), fs::read(&weights).unwrap());
    thread::spawn(move || [bytes.as_slice(), &[]].map(|bytes| fs::write(&end, bytes)));
    let (task, by_pipe) = save_task(folder.path(), pipe.to_str().unwrap());
    let out = folder.path().join("out");
    let to = ["--out", out.to_str().unwrap(), "--weights", &weights];
    run(&[&["segment", "--task", &task, "--query", &golden("query.png")], &to[..]].concat());
    let by_task = mask(&out.join("query.png"));
    let differing = by_task.values.iter().zip(&by_pipe.values).filter(|(a, b)| a != b).count();
    assert!(differing <= 16 && by_task.area() > 0, "{differing} pixels differ");
}

#[test]
fn a_task_of_several_classes_gives_their_numbers() {
    let (folder, weights) = folder();
    let bytes = fs::read(&weights).unwrap();
    let (header, network) = weights::load(&bytes, &Device::flex()).unwrap();
    let header = header.resized(Some(96));
    let segmenter = Segmenter::new(header, network, Device::flex());
    let picture = fs::read(golden("support.png")).unwrap();
    let shown = mask(Path::new(&golden("support_mask.png")));
    let labels: Vec<u8> = shown.values.iter().map(|&value| if value == 1 { 200 } else { 3 }).collect();
    let shot = Source::Brought(Labelled { key: "a", name: "support.png", picture: &picture, labels: &labels });
    let class = |number: u8| Class { number, name: format!("class {number}"), colour: "#123456".parse().unwrap() };
    let classes = Classes::default().learn(&segmenter, vec![class(200), class(3)], &[shot], |_, _| {}).unwrap();
    let file = pollster::block_on(classes.to_task(&segmenter, &weights::fingerprint(&bytes), &Look::plain(0.5)));
    let task = folder.path().join("two.task");
    fs::write(&task, file.unwrap()).unwrap();

    let out = folder.path().join("out");
    let (task, query) = (task.to_str().unwrap(), golden("query.png"));
    let ask = ["segment", "--task", task, "--query", &query, "--out", out.to_str().unwrap(), "--weights", &weights];
    let other = complaint(&ask);
    assert!(other.contains("two.task") && other.contains("set the size to 96"), "{other}");
    run(&[&ask[..], &["--size", "96", "--save-logits"]].concat());
    let labels = Labels::decode("query.png", &fs::read(out.join("query.png")).unwrap()).unwrap();
    assert_eq!([labels.width, labels.height], [400, 400]);
    assert!(labels.values.iter().all(|label| [0, 3, 200].contains(label)));
    assert!(labels.values.iter().any(|&label| label != 0));
    assert!(out.join("query.3.npy").is_file() && out.join("query.200.npy").is_file());
}

#[test]
fn segment_writes_every_kind_of_annotation() {
    let (folder, weights) = folder();
    let (support, query) = (support(), golden("query.png"));
    let ask = |out: &Path, more: &[&str]| {
        let fixed = ["segment", "--support", &support, "--query", &query, "--weights", &weights, "--out"];
        run(&[&fixed[..], &[out.to_str().unwrap()], more].concat());
    };
    let (plain, all) = (folder.path().join("plain"), folder.path().join("all"));
    ask(&plain, &[]);
    ask(&all, &["--as", "masks,cutouts,overlays,coco,coco-rle,labelme,yolo"]);
    let found = mask(&plain.join("query.png"));
    assert_eq!(mask(&all.join("masks/query.png")), found);
    assert_eq!(mask(&all.join("cutouts/query-thing.png")), found);
    for file in ["coco.json", "coco-rle.json", "labelme/query.json"] {
        let read = annotation::read(file, &fs::read(all.join(file)).unwrap(), "query.png", 400, 400).unwrap();
        assert_eq!((read.names, read.labels.values), (vec!["thing".to_owned()], found.values.clone()), "{file}");
    }
    let overlay = image::open(all.join("overlays/query.jpg")).unwrap();
    assert_eq!([overlay.width(), overlay.height()], [400, 400]);
    assert!(fs::read_to_string(all.join("yolo/labels/query.txt")).unwrap().starts_with("0 "));
    assert!(fs::read_to_string(all.join("yolo/data.yaml")).unwrap().ends_with("names:\n  0: \"thing\"\n"));
}

#[test]
fn what_is_wrong_with_a_task_is_said_in_a_sentence() {
    let (folder, weights) = folder();
    let (task, _) = save_task(folder.path(), &weights);
    let (query, out) = (golden("query.png"), folder.path().join("out").display().to_string());
    let by = |task: &str, weights: &str| {
        sentence(&["segment", "--task", task, "--query", &query, "--out", &out, "--weights", weights])
    };
    let foreign = by(&query, &weights);
    assert!(foreign.contains("query.png") && foreign.contains("no task"), "{foreign}");
    let cut = folder.path().join("cut.task");
    fs::write(&cut, &fs::read(&task).unwrap()[..5000]).unwrap();
    let damaged = by(cut.to_str().unwrap(), &weights);
    assert!(damaged.contains("cut.task") && damaged.contains("cut off"), "{damaged}");
    let other = folder.path().join("other.safetensors");
    run(&["export", &weights, "--dtype", "f32", "--out", other.to_str().unwrap()]);
    let of_others = by(&task, other.to_str().unwrap());
    assert!(of_others.contains("thing.task") && of_others.contains("other weights"), "{of_others}");

    let saved = fs::read(&weights).unwrap();
    let to = ["--query", &query, "--out", &out, "--weights", &weights, "--save-task", &weights];
    let overwriting = sentence(&[&["segment", "--support", &support()], &to[..]].concat());
    assert!(overwriting.contains("--save-task") && fs::read(&weights).unwrap() == saved, "{overwriting}");
    let both = complaint(&["segment", "--task", &task, "--support", &support(), "--query", &query, "--out", &out]);
    assert!(both.contains("cannot be used with"), "{both}");
    assert!(complaint(&["segment", "--query", &query, "--out", &out]).contains("--support"));
}

#[test]
fn a_mask_overwrites_no_picture_that_it_was_made_from() {
    let (folder, weights) = folder();
    let query = folder.path().join("query.png");
    fs::copy(golden("query.png"), &query).unwrap();
    let (out, name) = (folder.path().to_str().unwrap(), query.to_str().unwrap());
    let error = complaint(&["segment", "--support", &support(), "--query", name, "--out", out, "--weights", &weights]);
    assert!(error.contains("query.png") && error.contains("--out"), "{error}");
    assert_eq!(fs::read(&query).unwrap(), fs::read(golden("query.png")).unwrap());

    fs::create_dir(folder.path().join("masks")).unwrap();
    let query = folder.path().join("masks/query.png");
    fs::copy(golden("query.png"), &query).unwrap();
    let (support, name) = (support(), query.to_str().unwrap());
    let to = ["--query", name, "--out", out, "--weights", &weights, "--as", "masks,yolo"];
    let error = complaint(&[&["segment", "--support", &support], &to[..]].concat());
    assert!(error.contains("masks/query.png") && error.contains("--out"), "{error}");
    assert_eq!(fs::read(&query).unwrap(), fs::read(golden("query.png")).unwrap());
}

#[test]
fn a_training_resumed_before_its_first_checkpoint_starts_where_it_did() {
    let (folder, weights) = folder();
    let out = folder.path().join("run");
    let out = out.to_str().unwrap();
    let small = ["--size", "64", "--episodes", "8", "--validate-every", "4", "--held-out-episodes", "2"];
    run(&[&["train", "--weights", &weights, "--out", out], &small[..]].concat());
    let finished = fs::read(Path::new(out).join("weights.safetensors")).unwrap();
    fs::remove_dir_all(Path::new(out).join("checkpoint")).unwrap();
    run(&["train", "--resume", "--out", out]);
    assert!(finished == fs::read(Path::new(out).join("weights.safetensors")).unwrap(), "the weights differ");
    fs::remove_file(&weights).unwrap();
    run(&["train", "--resume", "--out", out]);
}

#[test]
fn a_training_takes_a_recipe_and_every_value_of_it_by_itself() {
    let (folder, weights) = folder();
    let out = folder.path().join("run");
    let how = ["--recipe", "published", "--size", "64", "--batch", "2", "--select", "held-out", "--schedule", "cosine"];
    let what = ["--shots", "2", "--negative", "0.5", "--augment", "mild", "--sample", "classes", "--patience", "1"];
    let spare = ["--accumulate", "2", "--checkpointing"];
    let long = ["--episodes", "4", "--validate-every", "2", "--held-out-episodes", "2"];
    let start = ["train", "--weights", &weights, "--out", out.to_str().unwrap()];
    run(&[&start[..], &how, &what, &spare, &long].concat());
    let settings: serde_json::Value = serde_json::from_slice(&fs::read(out.join("settings.json")).unwrap()).unwrap();
    let recipe = &settings["recipe"];
    // Given by itself; of the published recipe; of neither.
    assert_eq!((&recipe["select"], &recipe["shots"]), (&"held-out".into(), &2.into()));
    assert_eq!((&recipe["average"], &recipe["weight_decay"]), (&0.0.into(), &0.0.into()));
    assert_eq!((&settings["accumulate"], &settings["checkpointing"]), (&2.into(), &true.into()));
    assert!(weights::load(&fs::read(out.join("weights.safetensors")).unwrap(), &Device::flex()).is_ok());
}

/// A PASCAL tree of pictures that show classes 1, 2 and 6: two of fold 0 and one of fold 1.
fn pascal(root: &Path) {
    let voc = root.join("VOC2012");
    let make = |path: PathBuf| {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    };
    let mut lists: [String; 4] = Default::default();
    for (class, fold) in [(1u8, 0), (2, 0), (6, 1)] {
        for number in 0..3u8 {
            let name = format!("2007_{class}{number}");
            let picture =
                image::RgbImage::from_fn(64, 64, |x, y| image::Rgb([40 * class, (4 * x) as u8, (4 * y) as u8]));
            picture.save(make(voc.join(format!("JPEGImages/{name}.jpg")))).unwrap();
            let labels = image::GrayImage::from_fn(64, 64, |x, _| image::Luma([if x < 32 { class } else { 0 }]));
            labels.save(make(voc.join(format!("SegmentationClassAug/{name}.png")))).unwrap();
            lists[fold] += &format!("{name}__{class:02}\n");
        }
    }
    for (fold, list) in lists.iter().enumerate() {
        for side in ["trn", "val"] {
            fs::write(make(voc.join(format!("lists/{side}/fold{fold}.txt"))), list).unwrap();
        }
    }
}

#[test]
fn the_published_recipe_chooses_on_the_test_and_says_so() {
    let (folder, weights) = folder();
    pascal(folder.path());
    let data = folder.path().join("VOC2012");
    let out = folder.path().join("run");
    let (data, out) = (data.to_str().unwrap(), out.to_str().unwrap());
    let small =
        ["--size", "64", "--batch", "2", "--episodes", "4", "--validate-every", "2", "--held-out-episodes", "1"];
    let output = fewseg(
        &[
            &["train", "--recipe", "published", "--data", data, "--fold", "1", "--weights", &weights, "--out", out][..],
            &["--novel-episodes", "4"][..],
            &small[..],
        ]
        .concat(),
    );
    let (said, warned) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{warned}");
    assert!(warned.contains("chosen on the novel classes") && said.contains("threshold 0.50"), "{said}{warned}");
}

#[test]
fn a_fold_is_learned_by_a_network_that_has_not_seen_it_and_eval_warns_of_others() {
    let (folder, weights) = folder();
    pascal(folder.path());
    fs::create_dir(folder.path().join("weights")).unwrap();
    fs::copy(&weights, folder.path().join("weights/default.safetensors")).unwrap();
    let there = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fewseg"));
        let output = command.current_dir(folder.path()).args(arguments).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}");
        said
    };
    let small =
        ["--size", "64", "--batch", "2", "--episodes", "2", "--validate-every", "2", "--held-out-episodes", "1"];
    let fold = ["--fold", "1", "--novel-episodes", "1"];
    let said = there(&[&["train", "--data", "VOC2012", "--out", "run"], &fold[..], &small].concat());
    assert!(said.contains("only its backbone is taken"), "{said}");
    let settings: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.path().join("run/settings.json")).unwrap()).unwrap();
    assert_eq!(settings["start"]["weights"], serde_json::Value::Null);
    assert_eq!(settings["start"]["backbone_weights"], "weights/default.safetensors");

    for (fold, is_flattered) in [("1", false), ("0", true)] {
        let weights = ["--weights", "run/weights.safetensors", "--episodes", "1", "--size", "64"];
        let said = there(&[&["eval", "--data", "VOC2012", "--fold", fold], &weights[..]].concat());
        assert_eq!(said.contains("flattered"), is_flattered, "{said}");
    }
}

#[test]
fn a_fold_of_data_that_has_none_is_refused() {
    let (_folder, weights) = folder();
    let error = complaint(&["train", "--fold", "7", "--weights", &weights, "--out", "nowhere"]);
    assert!(error.contains("--fold") && error.contains("leave it out"), "{error}");
}

#[test]
fn the_help_of_train_shows_both_recipes() {
    let output = fewseg(&["train", "--help"]);
    let help = String::from_utf8(output.stdout).unwrap();
    for heading in ["Data:", "Network:", "Recipe", "Run:", "Recipes:"] {
        assert!(help.contains(heading), "{heading} is missing in\n{help}");
    }
    let row = |flag: &str| {
        let line = help.lines().rev().find(|line| line.trim_start().starts_with(flag)).unwrap();
        line.split_whitespace().skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(
        (row("--size"), row("--select")),
        (vec!["256".into(), "400".into()], vec!["held-out".into(), "test".into()])
    );
}

#[test]
fn a_training_runs_on_a_gpu() {
    let (folder, weights) = folder();
    let out = folder.path().join("run");
    let on = ["--device", "wgpu", "--size", "64", "--batch", "2", "--episodes", "2", "--validate-every", "2"];
    let out_name = out.to_str().unwrap();
    run(&[&["train", "--weights", &weights, "--held-out-episodes", "1", "--out", out_name], &on[..]].concat());
    let (_, network) = weights::load(&fs::read(out.join("weights.safetensors")).unwrap(), &Device::flex()).unwrap();
    let (_, start) = weights::load(&fs::read(&weights).unwrap(), &Device::flex()).unwrap();
    let (trained, start) = (weights::arrays_of(&network), weights::arrays_of(&start));
    let moved = |part: &str| start.iter().any(|(name, array)| name.starts_with(part) && *array != trained[name]);
    assert!(moved("learner.") && !moved("backbone."));
}

#[test]
fn a_query_that_cannot_be_read_is_named_and_costs_no_other() {
    let (folder, weights) = folder();
    let broken = folder.path().join("broken.jpg");
    fs::write(&broken, "not a picture").unwrap();
    let out = folder.path().join("out");
    let error = complaint(&[
        "segment",
        "--support",
        &support(),
        "--query",
        broken.to_str().unwrap(),
        &golden("query.png"),
        "--out",
        out.to_str().unwrap(),
        "--weights",
        &weights,
        "--size",
        "64",
    ]);
    assert!(error.contains("broken.jpg") && error.contains("1 of 2"), "{error}");
    assert!(out.join("query.png").is_file());
}

#[test]
fn what_is_wrong_is_said_in_a_sentence() {
    let (folder, weights) = folder();
    let out = folder.path().join("out").display().to_string();
    let small = folder.path().join("small.png");
    let empty = folder.path().join("empty.png");
    let blank = |size| Mask { width: size, height: size, values: vec![0; size * size] }.encode("blank").unwrap();
    fs::write(&small, blank(10)).unwrap();
    fs::write(&empty, blank(400)).unwrap();
    let cut = folder.path().join("cut.safetensors");
    fs::write(&cut, &fs::read(&weights).unwrap()[..5000]).unwrap();

    let picture = golden("support.png");
    let segment = |support: String, weights: &str| {
        complaint(&["segment", "--support", &support, "--query", &picture, "--out", &out, "--weights", weights])
    };
    let same_size = segment(format!("{picture}:{}", small.display()), &weights);
    assert!(same_size.contains("10 x 10") && same_size.contains("400 x 400"), "{same_size}");
    assert!(segment(format!("{picture}:{}", empty.display()), &weights).contains("empty"));
    let missing = segment(format!("{picture}:nowhere.png"), &weights);
    assert!(missing.contains("nowhere.png"), "{missing}");
    let damaged = segment(support(), cut.to_str().unwrap());
    assert!(damaged.contains("cut.safetensors") && damaged.contains("cut off"), "{damaged}");
    assert!(segment(support(), &picture).contains("support.png"));
}

#[test]
fn cuda_that_is_not_there_is_said_in_a_sentence() {
    // As it is built here, or, with the feature on, where there is no driver; where there is one, this asks nothing.
    let segment =
        ["bench", "segment", "--backbone", "mobilenetv2", "--size", "64", "--passes", "1", "--device", "cuda"];
    if fewseg(&segment).status.success() {
        return;
    }
    assert!(sentence(&segment).starts_with("fewseg: --device cuda: "));
}

#[test]
fn a_missing_checkpoint_is_named() {
    let error = complaint(&["import", "nowhere.pt", "--backbone", "resnet50", "--out", "x.safetensors"]);
    assert!(error.contains("nowhere.pt"), "{error}");
}
