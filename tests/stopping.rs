//! Trainings that end before their time, in every way that a user meets, and go on.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// Longer than any machine needs for what is waited for here.
const PATIENCE: Duration = Duration::from_secs(300);
/// Three validations of four episodes each, drawn at the smallest size.
const TINY: [&str; 12] = [
    "--size",
    "64",
    "--batch",
    "2",
    "--episodes",
    "12",
    "--validate-every",
    "4",
    "--held-out-episodes",
    "2",
    "--select",
    "last",
];

fn fewseg(out: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fewseg"));
    // Where there are no default weights to start from.
    command.current_dir(out).arg("train").arg("--out").arg(out).args(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn start(out: &Path) -> Child {
    fewseg(out, &TINY).spawn().unwrap()
}

/// Runs a training to its end, and gives what it printed.
fn finish(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn resume(out: &Path) -> String {
    finish(fewseg(out, &["--resume"]))
}

/// The folder of a training that nobody disturbed.
fn undisturbed() -> TempDir {
    let out = tempfile::tempdir().unwrap();
    finish(fewseg(out.path(), &TINY));
    out
}

/// The weights of such a training.
fn expected() -> &'static [u8] {
    static WEIGHTS: OnceLock<Vec<u8>> = OnceLock::new();
    WEIGHTS.get_or_init(|| weights(undisturbed().path()))
}

/// The folder of a training that was killed after its first checkpoint.
fn killed() -> TempDir {
    let out = tempfile::tempdir().unwrap();
    let mut child = start(out.path());
    wait_for(&out.path().join("checkpoint/1"));
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!out.path().join("weights.safetensors").exists());
    out
}

fn weights(out: &Path) -> Vec<u8> {
    fs::read(out.join("weights.safetensors")).unwrap()
}

fn events(out: &Path) -> Vec<Value> {
    let text = fs::read_to_string(out.join("journal.jsonl")).unwrap();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn wait_for(path: &Path) {
    let began = Instant::now();
    while !path.exists() {
        assert!(began.elapsed() < PATIENCE, "{} never appeared", path.display());
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_training_that_is_killed_goes_on_to_the_same_weights() {
    let out = killed();
    resume(out.path());
    assert!(weights(out.path()) == expected(), "the weights differ");
}

#[test]
fn a_killed_training_goes_on_to_the_weights_that_were_best_on_held_out_classes() {
    let chosen = [&TINY[..TINY.len() - 2], &["--select", "held-out"]].concat();
    let whole = tempfile::tempdir().unwrap();
    finish(fewseg(whole.path(), &chosen));
    let out = tempfile::tempdir().unwrap();
    let mut child = fewseg(out.path(), &chosen).spawn().unwrap();
    wait_for(&out.path().join("checkpoint/2"));
    child.kill().unwrap();
    child.wait().unwrap();
    resume(out.path());
    assert!(weights(out.path()) == weights(whole.path()), "the weights differ");
}

#[test]
#[cfg(unix)]
fn a_training_that_is_interrupted_says_how_to_go_on_and_does() {
    for name in ["INT", "TERM"] {
        let out = tempfile::tempdir().unwrap();
        let child = start(out.path());
        wait_for(&out.path().join("checkpoint/1"));
        let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(130), "{said}");
        assert!(said.contains("stopping after this step") && said.contains("go on with --resume"), "{said}");
        assert_eq!(events(out.path()).last().unwrap()["event"], "interrupted");
        resume(out.path());
        assert!(weights(out.path()) == expected(), "the weights differ");
    }
}

#[test]
#[cfg(unix)]
fn a_checkpoint_that_cannot_be_written_leaves_the_one_before() {
    let out = killed();
    // As a disk without room does: the file cannot grow. Settings and journal are smaller than a checkpoint.
    let mut limited = Command::new("sh");
    limited.args(["-c", r#"trap "" XFSZ; ulimit -f 2000; exec "$@""#, "sh", env!("CARGO_BIN_EXE_fewseg")]);
    let output = limited.args(["train", "--resume", "--out"]).arg(out.path()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("a checkpoint could not be written") && said.contains("File too large"), "{said}");
    assert_eq!(events(out.path()).last().unwrap()["event"], "failed");
    assert!(!out.path().join("checkpoint/2").exists());
    resume(out.path());
    assert!(weights(out.path()) == expected(), "the weights differ");
}

#[test]
fn a_damaged_checkpoint_falls_back_to_the_one_before() {
    let out = undisturbed();
    let checkpoint = out.path().join("checkpoint");
    let kept = |number: usize| checkpoint.join(number.to_string()).is_dir();
    assert_eq!([1, 2, 3].map(kept), [false, true, true]);
    let model = fs::read(checkpoint.join("3/model.bpk")).unwrap();
    fs::write(checkpoint.join("3/model.bpk"), &model[..model.len() / 2]).unwrap();
    fs::remove_file(out.path().join("weights.safetensors")).unwrap();
    let said = resume(out.path());
    assert!(said.contains("3/3 train") && !said.contains("2/3 train"), "{said}");
    assert!(weights(out.path()) == expected(), "the weights differ");
}

#[test]
fn what_happened_is_written_down_and_drawn() {
    let out = undisturbed();
    let events = events(out.path());
    let of = |kind: &str| events.iter().filter(|event| event["event"] == kind).collect::<Vec<_>>();
    assert_eq!(events[0]["event"], "start");
    assert_eq!(events[0]["settings"]["recipe"]["batch"], 2);
    assert_eq!(of("steps").last().unwrap()["episodes"], 12);
    let validations = of("validation");
    assert_eq!(validations.iter().map(|event| event["episodes"].as_u64()).collect::<Vec<_>>(), [4, 8, 12].map(Some));
    for validation in validations {
        assert!(validation["loss"].is_f64() && validation["training_loss"].is_f64(), "{validation}");
        assert!(validation["held_out"]["miou"].is_f64() && validation["novel"].is_null(), "{validation}");
    }
    assert_eq!(of("checkpoint").len(), 3);
    assert_eq!(events.last().unwrap()["event"], "end");
    let curves = fs::read_to_string(out.path().join("curves.svg")).unwrap();
    assert!(curves.contains("held-out classes") && !curves.contains("novel classes"));
}

#[test]
fn two_devices_share_a_training_in_steps_that_they_can_share() {
    let out = tempfile::tempdir().unwrap();
    let said = finish(fewseg(out.path(), &[&TINY[..], &["--devices", "2"]].concat()));
    assert!(said.contains("3/3 train 4/4") && said.contains("waited for data"), "{said}");
    let out = tempfile::tempdir().unwrap();
    let output = fewseg(out.path(), &[&TINY[..], &["--devices", "3"]].concat()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("shared evenly by 3 devices"), "{said}");
}
