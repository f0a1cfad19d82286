//! The program, as it is called.

use std::path::PathBuf;
use std::process::{Command, Output};

use burn::tensor::Device;
use fewseg::backbone::BackboneKind;
use fewseg::weights;
use tempfile::TempDir;

use super::formula_checkpoint;

/// The backbone of the weights in [`folder`].
pub const KIND: BackboneKind = BackboneKind::MobilenetV2;

pub fn golden(name: &str) -> String {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name).display().to_string()
}

pub fn fewseg(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fewseg")).args(arguments).output().unwrap()
}

/// Runs a command that must succeed, and gives what it prints.
pub fn run(arguments: &[&str]) -> String {
    let output = fewseg(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a command that must fail, and gives what it says.
pub fn complaint(arguments: &[&str]) -> String {
    let output = fewseg(arguments);
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

/// Runs a command that must fail with one sentence of its own and nothing else, and gives it.
pub fn sentence(arguments: &[&str]) -> String {
    let error = complaint(arguments);
    assert!(error.starts_with("fewseg: ") && error.trim_end().lines().count() == 1, "{arguments:?}: {error}");
    error
}

/// A folder with the weights that the reference outputs were computed with.
pub fn folder() -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    let (header, network) = weights::import_arrays(formula_checkpoint(KIND), KIND, &Device::flex()).unwrap();
    weights::save(&network, &header, &path).unwrap();
    (folder, path.display().to_string())
}
