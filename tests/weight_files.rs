//! Weight files: what is written is read back, published checkpoints come in through their own format, and whatever is
//! wrong with a file is said.

mod common;

use std::fs::File;
use std::io::Write;

use burn::tensor::Device;
use common::{distance, formula_checkpoint};
use fewseg::backbone::BackboneKind;
use fewseg::hsnet::{Design, Hsnet};
use fewseg::weights::{self, Array, Arrays, Header, WeightsError, arrays_of};
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

const KIND: BackboneKind = BackboneKind::MobilenetV2;

fn weight_file() -> (Hsnet, Header, Vec<u8>) {
    let network = Hsnet::init(KIND, Design::default(), &Device::flex());
    let header = Header { threshold: 0.4, data: "none".into(), ..Header::hsnet(KIND, [256, 256]) };
    let bytes = weights::to_bytes(&network, &header).unwrap();
    (network, header, bytes)
}

fn load_error(bytes: &[u8]) -> String {
    weights::load(bytes, &Device::flex()).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn a_file_is_read_back_in_half_precision() {
    let (network, header, bytes) = weight_file();
    let (read_header, read) = weights::load(&bytes, &Device::flex()).unwrap();
    assert_eq!(read_header, header);
    let (written, read) = (arrays_of(&network), arrays_of(&read));
    assert!(written.keys().eq(read.keys()));
    for (name, array) in &written {
        let read = &read[name];
        assert_eq!(array.shape, read.shape);
        let off = distance(&read.values, &array.values);
        assert!(off < 1e-3, "{name} is {off:.1e} off");
    }
}

#[test]
fn the_same_weights_give_the_same_file() {
    let (network, header, bytes) = weight_file();
    for _ in 0..8 {
        assert!(weights::to_bytes(&network, &header).unwrap() == bytes);
    }
}

#[test]
fn a_truncated_file_is_said_to_be_cut_off() {
    let (_, _, bytes) = weight_file();
    for length in [0, 5, 1000, bytes.len() - 1] {
        assert!(load_error(&bytes[..length]).contains("cut off or damaged"), "{length} bytes");
    }
}

#[test]
fn a_file_without_our_header_is_none_of_ours() {
    let empty: [(&str, safetensors::tensor::TensorView); 0] = [];
    let bytes = safetensors::serialize(empty, None).unwrap();
    assert!(load_error(&bytes).contains("no fewseg weight file"));
}

/// Writes a file whose header speaks of one backbone and whose tensors are another's.
fn mislabelled(kind: BackboneKind) -> Vec<u8> {
    let (network, header, _) = weight_file();
    weights::to_bytes(&network, &Header { backbone: kind.name().into(), ..header }).unwrap()
}

#[test]
fn tensors_of_another_model_are_named() {
    let error = load_error(&mislabelled(BackboneKind::Vgg16));
    assert!(error.contains("belongs to another model") && error.contains("backbone."), "{error}");
}

#[test]
fn an_unknown_method_or_backbone_is_named() {
    let (network, header, _) = weight_file();
    let other = Header { method: "oracle".into(), ..header.clone() };
    assert!(load_error(&weights::to_bytes(&network, &other).unwrap()).contains("oracle"));
    let other = Header { backbone: "vgg19".into(), ..header };
    let error = load_error(&weights::to_bytes(&network, &other).unwrap());
    assert!(error.contains("vgg19") && error.contains("mobilenetv2"), "{error}");
}

#[test]
fn a_header_that_nothing_can_work_with_is_refused() {
    let (network, header, _) = weight_file();
    let complaint = |header: Header| load_error(&weights::to_bytes(&network, &header).unwrap());
    assert!(complaint(Header { size: [0, 0], ..header.clone() }).contains("pixels a side"));
    assert!(complaint(Header { threshold: 1.0, ..header }).contains("threshold"));
}

#[test]
fn values_that_are_no_numbers_are_refused() {
    let mut checkpoint = formula_checkpoint(KIND);
    let name = "module.hpn_learner.decoder2.2.bias";
    checkpoint.get_mut(name).unwrap().values[1] = f32::NAN;
    let path = tempfile::tempdir().unwrap();
    let file = path.path().join("diverged.pt");
    write_pytorch(&checkpoint, &file);
    let error = weights::import(&file, KIND, &Device::flex()).map(|_| ()).unwrap_err();
    assert!(matches!(&error, WeightsError::NotFinite(tensor) if tensor == name), "{error}");
}

#[test]
fn a_published_checkpoint_is_imported_from_its_own_format() {
    let checkpoint = formula_checkpoint(KIND);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("best_model.pt");
    write_pytorch(&checkpoint, &file);
    let (header, network) = weights::import(&file, KIND, &Device::flex()).unwrap();
    assert_eq!((header.backbone.as_str(), header.size), ("mobilenetv2", [400, 400]));
    let (_, expected) = weights::import_arrays(checkpoint, KIND, &Device::flex()).unwrap();
    assert!(arrays_of(&network) == arrays_of(&expected));
}

#[test]
fn a_checkpoint_of_another_backbone_is_refused() {
    let error = weights::import_arrays(formula_checkpoint(KIND), BackboneKind::Resnet50, &Device::flex());
    let error = error.map(|_| ()).unwrap_err();
    assert!(matches!(error, WeightsError::Missing(_)), "{error}");
}

#[test]
fn a_backbone_alone_is_imported_with_an_untrained_learner() {
    let backbone = |(key, array): (String, Array)| Some((key.strip_prefix("module.backbone.")?.to_string(), array));
    let arrays: Arrays = formula_checkpoint(BackboneKind::Resnet50).into_iter().filter_map(backbone).collect();
    let (header, _) = weights::import_arrays(arrays, BackboneKind::Resnet50, &Device::flex()).unwrap();
    assert!(header.data.contains("untrained"));
}

#[test]
fn parameters_are_as_many_as_the_paper_counts() {
    let count = |kind| {
        let arrays = arrays_of(&Hsnet::init(kind, Design::default(), &Device::flex()).learner);
        arrays.values().map(|array| array.values.len()).sum::<usize>()
    };
    assert_eq!(count(BackboneKind::Resnet50), 2_573_794);
    assert_eq!(count(BackboneKind::Resnet101), 2_587_394);
    assert_eq!(count(BackboneKind::Vgg16), 2_570_018);
}

/// Writes a flat state dictionary as `torch.save` does: a zip of a pickle and one file of floats a tensor.
fn write_pytorch(arrays: &Arrays, path: &std::path::Path) {
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut archive = zip::ZipWriter::new(File::create(path).unwrap());
    archive.start_file("model/data.pkl", options).unwrap();
    archive.write_all(&pickle(arrays)).unwrap();
    archive.start_file("model/version", options).unwrap();
    archive.write_all(b"3\n").unwrap();
    for (index, array) in arrays.values().enumerate() {
        archive.start_file(format!("model/data/{index}"), options).unwrap();
        let bytes: Vec<u8> = array.values.iter().flat_map(|value| value.to_le_bytes()).collect();
        archive.write_all(&bytes).unwrap();
    }
    archive.finish().unwrap();
}

/// The pickle of such a dictionary: for each key a call of `torch._utils._rebuild_tensor_v2`.
fn pickle(arrays: &Arrays) -> Vec<u8> {
    let text = |pickle: &mut Vec<u8>, text: &str| {
        pickle.push(b'X');
        pickle.extend((text.len() as u32).to_le_bytes());
        pickle.extend(text.bytes());
    };
    let number = |pickle: &mut Vec<u8>, value: usize| {
        pickle.push(b'J');
        pickle.extend((value as u32).to_le_bytes());
    };
    let mut pickle = b"\x80\x02}(".to_vec();
    for (index, (name, array)) in arrays.iter().enumerate() {
        text(&mut pickle, name);
        pickle.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        text(&mut pickle, "storage");
        pickle.extend(b"ctorch\nFloatStorage\n");
        text(&mut pickle, &index.to_string());
        text(&mut pickle, "cpu");
        number(&mut pickle, array.values.len());
        pickle.extend(b"tQ");
        number(&mut pickle, 0);
        for sizes in [array.shape.clone(), strides(&array.shape)] {
            pickle.push(b'(');
            sizes.into_iter().for_each(|size| number(&mut pickle, size));
            pickle.push(b't');
        }
        pickle.extend(b"\x89ccollections\nOrderedDict\n)RtR");
    }
    pickle.extend(b"u.");
    pickle
}

fn strides(shape: &[usize]) -> Vec<usize> {
    (0..shape.len()).map(|dim| shape[dim + 1..].iter().product()).collect()
}
