//! Weight files: what is written is read back, and whatever is wrong with a file is said.

mod common;

use burn::tensor::Device;
use common::distance;
use fewseg::backbone::BackboneKind;
use fewseg::hsnet::{Design, Hsnet, Kernel, Masking};
use fewseg::weights::{self, Header, Precision, arrays_of, fill};

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
fn what_is_no_weight_file_is_told_apart() {
    assert!(load_error(b"PK\x03\x04 and so on").contains("fewseg import"));
    assert!(load_error(b"\x89PNG\r\n\x1a\n and so on").contains("neither a weight file nor"));
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
fn parameters_are_as_many_as_the_paper_counts() {
    let count = |kind| {
        let arrays = arrays_of(&Hsnet::init(kind, Design::default(), &Device::flex()).learner);
        arrays.values().map(|array| array.values.len()).sum::<usize>()
    };
    assert_eq!(count(BackboneKind::Resnet50), 2_573_794);
    assert_eq!(count(BackboneKind::Resnet101), 2_587_394);
    assert_eq!(count(BackboneKind::Vgg16), 2_570_018);
}

#[test]
fn single_precision_is_kept_to_the_bit_and_half_precision_survives_it() {
    let (network, header, half) = weight_file();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("single.safetensors");
    weights::save_as(&network, &header, Precision::F32, &path).unwrap();
    let (read_header, read) = weights::load(&std::fs::read(&path).unwrap(), &Device::flex()).unwrap();
    assert_eq!(read_header, header);
    assert!(arrays_of(&read) == arrays_of(&network));
    assert!(weights::to_bytes(&read, &header).unwrap() == half);
}

#[test]
fn values_beyond_half_precision_are_refused_there_and_kept_in_single() {
    let (network, header, _) = weight_file();
    let mut arrays = arrays_of(&network);
    arrays.get_mut("learner.decoder.conv4.bias").unwrap().values[0] = 70000.0;
    let network = fill(network, arrays).unwrap();
    let error = weights::to_bytes(&network, &header).unwrap_err().to_string();
    assert!(error.contains("learner.decoder.conv4.bias") && error.contains("f32"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("single.safetensors");
    weights::save_as(&network, &header, Precision::F32, &path).unwrap();
    let (_, read) = weights::load(&std::fs::read(&path).unwrap(), &Device::flex()).unwrap();
    assert_eq!(arrays_of(&read)["learner.decoder.conv4.bias"].values[0], 70000.0);
}

#[test]
fn a_file_says_its_design_and_one_from_before_is_understood() {
    for kernel in Kernel::ALL {
        let network = Hsnet::init(KIND, kernel.into(), &Device::flex());
        let header = Header { design: kernel.into(), ..Header::hsnet(KIND, [256, 256]) };
        let bytes = weights::to_bytes(&network, &header).unwrap();
        let (read_header, read) = weights::load(&bytes, &Device::flex()).unwrap();
        assert_eq!((read_header.design.kernel, read.design().kernel), (kernel, kernel));
    }
    // As the first version wrote it.
    let first = r#"{"method":"hsnet","backbone":"mobilenetv2","size":[256,256],
        "normalisation":{"mean":[0.485,0.456,0.406],"std":[0.229,0.224,0.225]},
        "masking":false,"threshold":0.25,"data":"drawn shapes","licence":"CC0"}"#;
    let first: Header = serde_json::from_str(first).unwrap();
    assert_eq!(first.design, Design { masking: Masking::None, ..Design::default() });
    let own = serde_json::to_string(&Header::hsnet(KIND, [256, 256])).unwrap();
    assert!(own.contains(r#""masking":"features","kernel":"center-pivot","guided":false"#), "{own}");
}

fn in_eight_bits(network: &Hsnet, header: &Header) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("eight.safetensors");
    weights::save_as(network, header, Precision::I8, &path).unwrap();
    std::fs::read(&path).unwrap()
}

/// Half of the smallest step of half precision, in which biases are kept.
const HALF_PRECISION_STEP: f32 = 1.0 / 33_554_432.0;

#[test]
fn eight_bits_keep_every_value_within_half_a_level_of_its_channel() {
    let (network, header, half) = weight_file();
    let bytes = in_eight_bits(&network, &header);
    assert!(bytes.len() < half.len() * 11 / 20, "{} of {} bytes", bytes.len(), half.len());
    let (_, read) = weights::load(&bytes, &Device::flex()).unwrap();
    let (found, expected) = (arrays_of(&read), arrays_of(&network));
    assert!(found.keys().eq(expected.keys()));
    for (name, array) in expected {
        let size = array.values.len() / array.shape[0];
        let pairs = array.values.chunks(size).zip(found[&name].values.chunks(size));
        for (expected, found) in pairs {
            let largest = expected.iter().fold(0f32, |most, value| most.max(value.abs()));
            let apart = expected.iter().zip(found).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(apart <= largest / 127.0 * 0.51 + HALF_PRECISION_STEP, "{name}: {apart} of {largest}");
        }
    }
}

#[test]
fn levels_without_their_worths_are_refused() {
    let (network, header, _) = weight_file();
    let mut bytes = in_eight_bits(&network, &header);
    let name = b"learner.decoder.conv1.weight.worths";
    let at = bytes.windows(name.len()).position(|window| window == name).unwrap();
    bytes[at + name.len() - 1] = b'z';
    let error = load_error(&bytes);
    assert!(error.contains("learner.decoder.conv1.weight.worth"), "{error}");
}
