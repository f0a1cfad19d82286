//! `fewseg bench`, as it is called, at sizes that are quick.

mod common;

use common::command::run;
use serde_json::Value;

#[test]
fn the_table_of_kernels_stands_beside_the_papers() {
    let table = run(&["bench", "kernels", "--size", "64", "--passes", "1"]);
    for (kernel, parameters, paper) in
        [("center-pivot", "2587394", "20.6"), ("separable", "4375314", "28.4"), ("full", "11296690", "702")]
    {
        let row = table.lines().find(|line| line.starts_with(kernel)).unwrap_or_else(|| panic!("{table}"));
        let cells: Vec<&str> = row.split_whitespace().collect();
        assert_eq!((cells[1], cells[6]), (parameters, paper), "{table}");
        assert!(cells[3].parse::<f64>().unwrap() > 0.0, "{table}");
    }
}

#[test]
fn training_steps_are_timed_and_told_to_programs_too() {
    let steps = ["--batch", "2", "--steps", "1", "--warm-up", "0", "--backbone-lr", "0.0001"];
    let told = run(&[&["bench", "train", "--backbone", "mobilenetv2", "--size", "64"], &steps[..]].concat());
    let line: Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
    assert_eq!((&line["batch"], &line["backbone_trained"]), (&2.into(), &true.into()));
    let (seconds, rate) = (line["seconds_a_step"].as_f64().unwrap(), line["episodes_a_second"].as_f64().unwrap());
    assert!(seconds > 0.0 && (rate * seconds - 2.0).abs() < 1e-6, "{told}");
}

#[test]
fn a_query_is_timed_stage_by_stage() {
    let size = ["--backbone", "mobilenetv2", "--size", "64", "--passes", "1"];
    let told = run(&[&["bench", "segment"], &size[..]].concat());
    let line: Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
    let stages = line["stages"].as_object().unwrap();
    let names = ["features", "correlation 2", "squeeze 4", "mix", "decode"];
    assert!(names.iter().all(|name| stages[*name].as_f64().unwrap() > 0.0), "{told}");
    assert!(line["segment"][0].as_f64().unwrap() > 0.0, "{told}");
}

#[test]
fn weights_in_half_precision_hold_half_of_a_gpus_memory() {
    let held = |more: &[&str]| {
        let size = ["bench", "segment", "--backbone", "resnet50", "--size", "64", "--passes", "1", "--device", "wgpu"];
        let told = run(&[&size[..], more].concat());
        let line: Value = serde_json::from_str(told.lines().last().unwrap()).unwrap();
        line["device_memory_bytes"].as_u64().unwrap()
    };
    let (compact, single) = (held(&[]), held(&["--single"]));
    // The backbone's weights are 94 MB of it in single precision, and half of that in half.
    assert!(single > 94_000_000 && compact + 44_000_000 < single, "{compact} of {single}");
}

#[test]
fn every_operation_stands_beside_the_peaks() {
    let size = ["--backbone", "mobilenetv2", "--size", "64", "--passes", "1"];
    let table = run(&[&["bench", "operations"], &size[..]].concat());
    let rows: Vec<Value> = serde_json::from_str(table.lines().last().unwrap()).unwrap();
    // Two peaks, three correlations, fifteen layers of two operations each, the decoder's four.
    assert_eq!(rows.len(), 2 + 3 + 15 * 2 + 4, "{table}");
    assert!(rows.iter().all(|row| table.contains(row["operation"].as_str().unwrap())), "{table}");
    let row = rows.iter().find(|row| row["operation"] == "center-pivot, mix3to2.0").unwrap();
    // At 64 pixels: 8 x 8 query positions and one of the support, whose kernel is its centre.
    assert_eq!(row["operations"].as_f64().unwrap(), (2 * 128 * 128 * (9 + 1) * 64) as f64);
}
