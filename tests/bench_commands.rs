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
