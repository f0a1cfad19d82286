//! Every shader, in each form that its template takes, passes naga and, where it is installed, tint.

use std::io::Write;
use std::process::Command;

use fewseg::ops::shader_sources;
use naga::valid::{Capabilities, ValidationFlags, Validator};

/// Packing halves into words is part of WGSL; naga asks for it by name, since some drivers below it lack it.
const PLAIN_WGSL: Capabilities = Capabilities::SHADER_FLOAT16_IN_FLOAT32;

#[test]
fn every_form_passes_naga() {
    for (name, source) in shader_sources() {
        let module =
            naga::front::wgsl::parse_str(&source).unwrap_or_else(|e| panic!("{name}: {}", e.emit_to_string(&source)));
        let validated = Validator::new(ValidationFlags::all(), PLAIN_WGSL).validate(&module);
        assert!(validated.is_ok(), "{name}: {:?}", validated.err());
    }
}

#[test]
fn every_form_passes_tint_where_it_is_installed() {
    for (name, source) in shader_sources() {
        let mut file = tempfile::Builder::new().suffix(".wgsl").tempfile().unwrap();
        file.write_all(source.as_bytes()).unwrap();
        let Ok(output) = Command::new("tint").args(["--format", "wgsl"]).arg(file.path()).output() else {
            eprintln!("tint is not installed: skipped");
            return;
        };
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn every_shader_is_among_them() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/shaders");
    for entry in std::fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        let shader = file.file_stem().unwrap().to_str().unwrap().to_owned();
        assert!(
            shader_sources().iter().any(|(name, _)| name.split(", ").any(|part| part.starts_with(&shader))),
            "{shader}"
        );
    }
}
