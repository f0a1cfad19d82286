//! `fewseg import`, `export` and `info`, as they are called.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use common::command::{run, sentence};
use common::formula_checkpoint;
use common::pytorch::write_pytorch;
use fewseg::backbone::BackboneKind;
use fewseg::hsnet::{Design, Hsnet, Kernel};
use fewseg::weights::{self, Array, Header, arrays_of, fill};
use tempfile::TempDir;

const KIND: BackboneKind = BackboneKind::MobilenetV2;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn write(&self, name: &str, bytes: &[u8]) -> String {
        fs::write(self.0.path().join(name), bytes).unwrap();
        self.path(name)
    }
}

/// What `info` prints after a word.
fn field<'a>(info: &'a str, name: &str) -> &'a str {
    info.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("no {name} in {info}")).trim()
}

#[test]
fn a_checkpoint_becomes_a_weight_file_that_says_what_it_is() {
    let folder = Folder::new();
    let (checkpoint, out) = (folder.path("best_model.pt"), folder.path("weights.safetensors"));
    write_pytorch(&formula_checkpoint(KIND), Path::new(&checkpoint));
    let info = run(&["info", &checkpoint]);
    assert!(
        info.contains("PyTorch") && info.contains("HSNet over mobilenetv2") && info.contains("fewseg import"),
        "{info}"
    );

    run(&["import", &checkpoint, "--out", &out, "--licence", "CC0", "--threshold", "0.4", "--masking", "none"]);
    let info = run(&["info", &out]);
    assert_eq!(field(&info, "backbone"), "mobilenetv2");
    assert_eq!(field(&info, "kernel"), "center-pivot");
    assert_eq!(field(&info, "size"), "400 x 400");
    assert_eq!(field(&info, "licence"), "CC0");
    assert!(field(&info, "threshold").starts_with("0.4"));
    assert_eq!(field(&info, "dtype"), "f16");
    assert_eq!(field(&info, "bytes"), fs::metadata(&out).unwrap().len().to_string());
    let (header, network) = weights::load(&fs::read(&out).unwrap(), &Device::flex()).unwrap();
    let parameters = arrays_of(&network).values().map(|array| array.values.len()).sum::<usize>();
    assert!(field(&info, "parameters").starts_with(&parameters.to_string()), "{info}");
    assert!(field(&info, "method") == "hsnet" && field(&info, "data") == header.data);

    // Again, under another header.
    let again = folder.path("again.safetensors");
    run(&["import", &out, "--out", &again, "--threshold", "0.6"]);
    let (changed, _) = weights::load(&fs::read(&again).unwrap(), &Device::flex()).unwrap();
    assert_eq!(changed, Header { threshold: 0.6, ..header });
}

#[test]
fn export_changes_the_precision_and_nothing_else() {
    let folder = Folder::new();
    let [half, single, back] = ["half", "single", "back"].map(|name| folder.path(&format!("{name}.safetensors")));
    let network = Hsnet::init(KIND, Kernel::Separable.into(), &Device::flex());
    let header = Header { design: Kernel::Separable.into(), ..Header::hsnet(KIND, [256, 256]) };
    weights::save(&network, &header, Path::new(&half)).unwrap();
    run(&["export", &half, "--dtype", "f32", "--out", &single]);
    let info = run(&["info", &single]);
    assert!(field(&info, "dtype") == "f32" && field(&info, "kernel") == "separable", "{info}");
    let load = |path: &str| weights::load(&fs::read(path).unwrap(), &Device::flex()).unwrap();
    let (of_half, of_single) = (load(&half), load(&single));
    assert!(of_half.0 == of_single.0 && arrays_of(&of_half.1) == arrays_of(&of_single.1));
    run(&["export", &single, "--dtype", "f16", "--out", &back]);
    assert!(fs::read(&half).unwrap() == fs::read(&back).unwrap());
}

#[test]
fn eight_bits_are_told_and_read_tensor_by_tensor_too() {
    let folder = Folder::new();
    let [half, eight, back] = ["half", "eight", "back"].map(|name| folder.path(&format!("{name}.safetensors")));
    let network = Hsnet::init(KIND, Design::default(), &Device::flex());
    weights::save(&network, &Header::hsnet(KIND, [256, 256]), Path::new(&half)).unwrap();
    run(&["export", &half, "--dtype", "i8", "--out", &eight]);
    let (before, after) = (run(&["info", &half]), run(&["info", &eight]));
    assert_eq!(field(&after, "dtype"), "f16, i8");
    assert_eq!(field(&after, "parameters"), field(&before, "parameters"));
    // `import` reads a tensor at a time, where the others read the whole file.
    run(&["import", &eight, "--dtype", "f32", "--out", &back]);
    let load = |path: &str| arrays_of(&weights::load(&fs::read(path).unwrap(), &Device::flex()).unwrap().1);
    assert!(load(&back) == load(&eight) && load(&eight) != load(&half));
}

#[test]
fn export_refuses_what_half_precision_cannot_hold() {
    let folder = Folder::new();
    let (single, half) = (folder.path("single.safetensors"), folder.path("half.safetensors"));
    let mut arrays = arrays_of(&Hsnet::init(KIND, Design::default(), &Device::flex()));
    arrays.get_mut("learner.decoder.conv1.bias").unwrap().values[0] = 1e6;
    let network = fill(Hsnet::init(KIND, Design::default(), &Device::flex()), arrays).unwrap();
    let header = Header::hsnet(KIND, [256, 256]);
    weights::save_as(&network, &header, weights::Precision::F32, Path::new(&single)).unwrap();
    let error = sentence(&["export", &single, "--dtype", "f16", "--out", &half]);
    assert!(error.contains("learner.decoder.conv1.bias") && error.contains("--dtype f32"), "{error}");
    assert!(!PathBuf::from(&half).exists());
    assert!(sentence(&["import", &single, "--out", &half]).contains("--dtype f32"));
    run(&["import", &single, "--dtype", "f32", "--out", &half]);
    assert!(fs::read(&single).unwrap() == fs::read(&half).unwrap());
}

#[test]
fn info_tells_foreign_files_apart() {
    let folder = Folder::new();
    let empty: [(&str, safetensors::tensor::TensorView); 0] = [];
    let foreign = folder.write("foreign.safetensors", &safetensors::serialize(empty, None).unwrap());
    let info = run(&["info", &foreign]);
    assert!(info.contains("without a header of fewseg's") && info.contains("no network that fewseg knows"), "{info}");
    let backbone = |(key, array): (String, Array)| Some((key.strip_prefix("module.backbone.")?.to_string(), array));
    let path = folder.path("mobilenet.pth");
    write_pytorch(&formula_checkpoint(KIND).into_iter().filter_map(backbone).collect(), Path::new(&path));
    let info = run(&["info", &path]);
    assert!(info.contains("mobilenetv2 alone") && info.lines().count() == 1, "{info}");
}

#[test]
fn a_bad_file_is_named_in_a_sentence_by_every_command() {
    let folder = Folder::new();
    let network = Hsnet::init(KIND, Design::default(), &Device::flex());
    let whole = weights::to_bytes(&network, &Header::hsnet(KIND, [64, 64])).unwrap();
    let mislabelled = weights::to_bytes(&network, &Header::hsnet(BackboneKind::Vgg16, [64, 64])).unwrap();
    let mut diverged = whole.clone();
    let end = diverged.len();
    // The last values, in half precision, are no numbers.
    diverged[end - 64..].fill(0xFF);
    let checkpoint = folder.path("best_model.pt");
    write_pytorch(&formula_checkpoint(KIND), Path::new(&checkpoint));
    let checkpoint = fs::read(&checkpoint).unwrap();
    let bad: [(&str, &[u8], &str); 8] = [
        ("empty.safetensors", b"", "cut off or damaged"),
        ("header.safetensors", &whole[..100], "cut off or damaged"),
        ("cut.safetensors", &whole[..end - 1], "cut off or damaged"),
        ("garbled.safetensors", &[&whole[..8], &[b'{'; 4000]].concat(), "cut off or damaged"),
        ("picture.safetensors", b"\x89PNG\r\n\x1a\n and the rest of a picture", "neither"),
        ("other.safetensors", &mislabelled, "another model"),
        ("diverged.safetensors", &diverged, "no numbers"),
        ("cut.pt", &checkpoint[..checkpoint.len() / 2], ""),
    ];
    let out = folder.path("out.safetensors");
    let picture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/query.png");
    let support = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/golden/support.png:",
        env!("CARGO_MANIFEST_DIR"),
        "/tests/golden/support_mask.png"
    );
    for (name, bytes, says) in bad {
        let path = folder.write(name, bytes);
        let segmenting =
            ["segment", "--support", support, "--query", picture, "--out", &out, "--weights", &path, "--size", "64"];
        let commands: [&[&str]; 3] =
            [&["import", &path, "--out", &out], &["export", &path, "--dtype", "f32", "--out", &out], &segmenting];
        for command in commands {
            let error = sentence(command);
            assert!(error.contains(name) && error.contains(says), "{}: {error}", command[0]);
            assert!(!PathBuf::from(&out).exists(), "{} {name}", command[0]);
        }
        // What it can tell without reading the tensors, it tells.
        if !matches!(name, "other.safetensors" | "diverged.safetensors") {
            let error = sentence(&["info", &path]);
            assert!(error.contains(name) && error.contains(says), "info: {error}");
        }
    }
    let directory = folder.0.path().display().to_string();
    for command in [
        &["import", &directory, "--out", &out][..],
        &["export", &directory, "--dtype", "f16", "--out", &out],
        &["info", &directory],
    ] {
        assert!(sentence(command).contains(&directory));
    }
}
