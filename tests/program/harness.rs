//! The built program, run in a folder of its own.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Output;
use std::time::Duration;

use assert_cmd::Command;
use tempfile::TempDir;

pub struct Program {
    folder: TempDir,
    /// The instruction set to run with, the program's own choice if none.
    pub isa: Option<&'static str>,
}

impl Program {
    /// In a new empty folder.
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), isa: None }
    }

    /// A file of the folder.
    #[allow(dead_code, reason = "not every test of the program asks for a file")]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program with the words of `arguments`, to run in the folder.
    pub fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_attractor"));
        command.current_dir(self.folder.path()).env_remove("ATTRACTOR_ISA");
        // Seconds are plenty; a command that hangs is to fail its test.
        command.args(arguments.split_whitespace()).timeout(Duration::from_secs(60));
        if let Some(isa) = self.isa {
            command.env("ATTRACTOR_ISA", isa);
        }
        command
    }

    /// The program with the words of `arguments` as a process of its own, whose streams, signals and end are the caller's.
    #[allow(dead_code, reason = "not every test of the program has one")]
    pub fn process(&self, arguments: &str) -> std::process::Command {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_attractor"));
        command.current_dir(self.folder.path()).args(arguments.split_whitespace());
        command
    }

    /// Runs the program, which must succeed.
    pub fn run(&self, arguments: &str) -> Output {
        let output = self.command(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
        output
    }

    /// Names and contents of the files in the folder.
    #[allow(dead_code, reason = "not every test of the program asks for them")]
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap());
        let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
        let name = |entry: &std::fs::DirEntry| entry.file_name().into_string().unwrap();
        files.map(|entry| (name(&entry), std::fs::read(entry.path()).unwrap())).collect()
    }
}

/// The same file without a hash, as other programs write it: what is in it is looked at then.
#[allow(dead_code, reason = "not every test of the program asks for it")]
pub fn without_hash(mut content: Vec<u8>) -> Vec<u8> {
    let entry = content.windows(8).position(|window| window == b"\"blake3\"").unwrap();
    content[entry..entry + 8].copy_from_slice(b"\"blake0\"");
    content
}
