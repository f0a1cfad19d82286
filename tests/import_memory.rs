//! What an import holds in memory: the network, and one tensor of the checkpoint. Alone in its process, whose memory it
//! measures.
#![cfg(target_os = "linux")]

mod common;

use std::fs;

use burn::module::Module;
use burn::tensor::Device;
use common::formula_checkpoint;
use common::pytorch::write_pytorch;
use fewseg::backbone::BackboneKind;
use fewseg::weights::{self, Array};

const KIND: BackboneKind = BackboneKind::Resnet50;

/// A line of what the system says of this process's memory, in bytes.
fn memory(field: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    1024 * line.trim().trim_end_matches("kB").trim().parse::<usize>().unwrap()
}

#[test]
fn an_import_holds_the_network_and_one_tensor() {
    let folder = tempfile::tempdir().unwrap();
    let (checkpoint, out) = (folder.path().join("best_model.pt"), folder.path().join("weights.safetensors"));
    let mut arrays = formula_checkpoint(KIND);
    // A classifier as large as the rest, as VGG16 has one; it is not used.
    arrays.insert("module.backbone.fc.weight".into(), Array { shape: vec![5000, 5000], values: vec![0.0; 25_000_000] });
    write_pytorch(&arrays, &checkpoint);
    drop(arrays);

    // From here on the peak counts anew.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = memory("VmRSS:");
    let (header, network) = weights::import(&checkpoint, None, &Device::flex()).unwrap();
    weights::save(&network, &header, &out).unwrap();
    let held = memory("VmHWM:") - before;
    let size = 4 * network.num_params();
    println!("{} MB held for a network of {} MB", held >> 20, size >> 20);
    assert!(held < size + size / 2, "more than the network and a tensor");
    assert!(held > size / 2, "the network itself was not measured");
}
