//! The command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    fewseg::cli::main()
}
