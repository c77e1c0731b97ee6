//! A shim: parse, run, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    mt_agent::cli::main()
}
