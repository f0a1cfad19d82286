//! Checkpoints of others: they come in through every format they were published in, a tensor at a time, and whatever
//! is wrong with one is an error, never a panic.

mod common;

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use common::formula_checkpoint;
use common::pytorch::{write_legacy_pytorch, write_pytorch};
use fewseg::backbone::BackboneKind;
use fewseg::hsnet::{Design, Hsnet};
use fewseg::weights::{self, Array, Arrays, Header, TensorFile, WeightsError, arrays_of};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use tempfile::TempDir;

const KIND: BackboneKind = BackboneKind::MobilenetV2;

fn file(name: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    (folder, path)
}

fn write_safetensors(arrays: &Arrays, path: &Path) {
    let bytes = |array: &Array| array.values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let bytes: Vec<_> = arrays.iter().map(|(name, array)| (name, array.shape.clone(), bytes(array))).collect();
    let views =
        bytes.iter().map(|(name, shape, bytes)| (name, TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap()));
    fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
}

/// A way to write a checkpoint.
type Writer = fn(&Arrays, &Path);

const FORMATS: [(&str, Writer); 3] =
    [("zip.pt", write_pytorch), ("legacy.pth", write_legacy_pytorch), ("plain.safetensors", write_safetensors)];

fn import(path: &Path) -> Result<(Header, Hsnet), WeightsError> {
    weights::import(path, None, &Device::flex())
}

fn import_error(path: &Path) -> String {
    import(path).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn a_published_checkpoint_is_imported_from_every_format() {
    let checkpoint = formula_checkpoint(KIND);
    let (_, expected) = weights::import_arrays(checkpoint.clone(), KIND, &Device::flex()).unwrap();
    let expected = arrays_of(&expected);
    for (name, write) in FORMATS {
        let (_folder, path) = file(name);
        write(&checkpoint, &path);
        let (header, network) = import(&path).unwrap();
        assert_eq!((header.backbone.as_str(), header.size), ("mobilenetv2", [400, 400]), "{name}");
        assert!(arrays_of(&network) == expected, "{name}");
    }
}

#[test]
fn every_backbone_is_told_by_its_names() {
    for kind in BackboneKind::ALL {
        let (_folder, path) = file("best_model.pt");
        // The names are what matters here; the values need no room.
        let small =
            |(name, array): (String, Array)| (name, Array { shape: vec![1; array.shape.len()], values: vec![0.5] });
        let names: Arrays = formula_checkpoint(kind).into_iter().map(small).collect();
        write_pytorch(&names, &path);
        assert_eq!(weights::backbone_of(&TensorFile::open(&path).unwrap()), Some(kind));
        // Only this backbone's learner and convolutions are of these names, and not of these shapes.
        assert!(matches!(import(&path), Err(WeightsError::Shape { .. })), "{kind}");
    }
}

#[test]
fn a_backbone_alone_is_imported_with_an_untrained_learner() {
    let backbone = |(key, array): (String, Array)| Some((key.strip_prefix("module.backbone.")?.to_string(), array));
    let arrays: Arrays = formula_checkpoint(BackboneKind::Resnet50).into_iter().filter_map(backbone).collect();
    let (_folder, path) = file("resnet50-0676ba61.pth");
    write_legacy_pytorch(&arrays, &path);
    let (header, _) = import(&path).unwrap();
    assert!(header.backbone == "resnet50" && header.data.contains("untrained"));
}

#[test]
fn a_checkpoint_behind_a_key_is_imported() {
    let checkpoint = formula_checkpoint(KIND).into_iter().map(|(name, array)| (format!("state_dict.{name}"), array));
    assert!(weights::import_arrays(checkpoint.collect(), KIND, &Device::flex()).is_ok());
}

#[test]
fn a_weight_file_of_ours_is_imported_with_its_header() {
    let network = Hsnet::init(KIND, Design::default(), &Device::flex());
    let header = Header { threshold: 0.3, data: "drawn".into(), ..Header::hsnet(KIND, [256, 256]) };
    let (_folder, path) = file("weights.safetensors");
    weights::save(&network, &header, &path).unwrap();
    let (read, _) = import(&path).unwrap();
    assert_eq!(read, header);
    let error = weights::import(&path, Some(BackboneKind::Vgg16), &Device::flex()).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("mobilenetv2, not vgg16"), "{error}");
}

#[test]
fn a_checkpoint_of_another_backbone_is_refused() {
    let error = weights::import_arrays(formula_checkpoint(KIND), BackboneKind::Resnet50, &Device::flex());
    let error = error.map(|_| ()).unwrap_err();
    assert!(matches!(error, WeightsError::Missing(_)), "{error}");
}

#[test]
fn a_tensor_too_many_is_named() {
    let mut checkpoint = formula_checkpoint(KIND);
    checkpoint.insert("module.hpn_learner.decoder3.0.bias".into(), Array { shape: vec![1], values: vec![0.0] });
    let error = weights::import_arrays(checkpoint, KIND, &Device::flex()).map(|_| ()).unwrap_err();
    assert!(matches!(&error, WeightsError::Unused(name) if name == "hpn_learner.decoder3.0.bias"), "{error}");
}

/// Changes one tensor of a checkpoint and gives what the import says, in every format.
fn spoiled(kind: BackboneKind, name: &str, spoil: impl Fn(&mut Array)) {
    let mut checkpoint = formula_checkpoint(kind);
    spoil(checkpoint.get_mut(name).unwrap());
    for (format, write) in FORMATS {
        let (_folder, path) = file(format);
        write(&checkpoint, &path);
        let error = import_error(&path);
        let bare = name.trim_start_matches("module.").trim_start_matches("backbone.");
        assert!(error.contains(bare.rsplit_once('.').unwrap().0), "{format}: {error}");
    }
}

#[test]
fn values_that_are_no_numbers_are_refused() {
    spoiled(KIND, "module.hpn_learner.decoder2.2.bias", |array| array.values[1] = f32::NAN);
    spoiled(KIND, "module.backbone.features.0.weight", |array| array.values.fill(f32::INFINITY));
}

#[test]
fn a_batch_norm_of_another_width_or_without_a_variance_is_refused() {
    let name = "module.backbone.layer1.0.bn1.running_var";
    spoiled(BackboneKind::Resnet50, name, |array| array.values.fill(-1.0));
    let longer = |array: &mut Array| *array = Array { shape: vec![65], values: vec![1.0; 65] };
    spoiled(BackboneKind::Resnet50, name, longer);
}

/// A checkpoint too small for any network, but whole.
fn small() -> Arrays {
    let array = |shape: Vec<usize>| Array { values: vec![0.5; shape.iter().product()], shape };
    [("module.backbone.features.0.weight", vec![2, 3, 1, 1]), ("module.hpn_learner.bias", vec![2])]
        .map(|(name, shape)| (name.into(), array(shape)))
        .into()
}

/// Opens a file and reads all of it.
fn read_all(path: &Path) -> Result<(), WeightsError> {
    let file = TensorFile::open(path)?;
    file.names().try_for_each(|name| file.read(name).map(|_| ()))
}

#[test]
fn no_cut_and_no_flipped_bit_makes_a_panic() {
    for (name, write) in FORMATS {
        let (_folder, path) = file(name);
        write(&small(), &path);
        assert!(read_all(&path).is_ok(), "{name}");
        let whole = fs::read(&path).unwrap();
        let read = |bytes: &[u8], what: &str| {
            fs::write(&path, bytes).unwrap();
            let outcome = catch_unwind(|| read_all(&path));
            outcome.unwrap_or_else(|_| panic!("{name} panics: {what}"))
        };
        for length in 0..whole.len() {
            let outcome = read(&whole[..length], &format!("cut off at {length}"));
            assert!(outcome.is_err(), "{name} is whole when cut off at {length}");
        }
        for place in 0..whole.len() {
            for bit in [place % 8, (place + 5) % 8] {
                let mut flipped = whole.clone();
                flipped[place] ^= 1 << bit;
                // A flipped bit in a value or a name leaves a whole file.
                let _ = read(&flipped, &format!("bit {bit} of byte {place} flipped"));
            }
        }
    }
}

#[test]
fn importing_what_is_no_checkpoint_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    assert!(import_error(&write("empty.pt", b"")).contains("cut off"));
    assert!(import_error(&write("picture.pt", &[0xFF; 600])).contains("neither"));
    assert!(import_error(&write("text.safetensors", b"these are no weights at all")).contains("neither"));
    assert!(import_error(folder.path()).contains("folder"));
    write_pytorch(&small(), &folder.path().join("small.pt"));
    assert!(import_error(&folder.path().join("small.pt")).contains("mobilenetv2"));
    let misnamed = folder.path().join("checkpoint.safetensors");
    write_pytorch(&formula_checkpoint(KIND), &misnamed);
    assert!(import(&misnamed).is_ok());
}
