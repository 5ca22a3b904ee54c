//! The program: parses the command line, calls the library, prints.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
