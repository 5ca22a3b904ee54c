//! Files that are damaged, foreign, or do not fit: each is refused by name, with what was expected and what was found.

use std::collections::HashMap;

use crate::harness::Program;
use crate::refusal::refused;
use safetensors::Dtype;
use safetensors::tensor::TensorView;

/// A safetensors file with these tensors and metadata.
fn container(metadata: &[(&str, &str)], tensors: &[(&str, Dtype, &[usize], &[u8])]) -> Vec<u8> {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    let metadata: HashMap<String, String> = metadata.iter().map(owned).collect();
    let views = tensors
        .iter()
        .map(|(name, dtype, shape, bytes)| (*name, TensorView::new(*dtype, shape.to_vec(), bytes).unwrap()));
    safetensors::serialize(views, Some(metadata)).unwrap()
}

fn couplings(shape: &[usize], values: &[f32]) -> Vec<u8> {
    let metadata = [("format_version", "1"), ("kind", "couplings"), ("scale", "1")];
    container(&metadata, &[("J", Dtype::F32, shape, bytemuck::cast_slice(values))])
}

fn data_set(n_spins: &str, shape: &[usize], bytes: &[u8]) -> Vec<u8> {
    let metadata = [("format_version", "1"), ("kind", "data set"), ("n", n_spins)];
    container(&metadata, &[("train", Dtype::U8, shape, bytes)])
}

/// A folder with a data set and couplings of N = 4.
fn program() -> Program {
    let program = Program::new();
    program.run("generate random --n 4 --patterns 3 --test 2 -o data");
    program.run("train data --epochs 2 -o J");
    program
}

/// Writes the file and checks that every command refuses it, naming it.
fn each_refuses(program: &Program, content: &[u8], commands: &[&str], words: &[&str]) {
    std::fs::write(program.path("bad"), content).unwrap();
    for command in commands {
        refused(program, command, &[&["bad: ", "expected ", "found "], words].concat());
    }
}

const READERS_OF_DATA: [&str; 3] = ["train bad -o new", "recall J bad -o new", "inspect bad"];
const READERS_OF_COUPLINGS: [&str; 4] =
    ["recall bad data -o new", "train data --init bad -o new", "inspect bad", "export bad -o new"];

#[test]
fn handmade_files_of_the_right_kind_are_read() {
    let program = program();
    std::fs::write(program.path("good-J"), couplings(&[2, 2], &[0.0, 1.5, -2.0, 0.0])).unwrap();
    std::fs::write(program.path("good"), data_set("2", &[3, 1], &[0, 1, 3])).unwrap();
    program.run("recall good-J good");
    program.run("train good --init good-J -o new");
}

#[test]
fn truncated_and_foreign_files() {
    let program = program();
    let (data, couplings) = (std::fs::read(program.path("data")), std::fs::read(program.path("J")));
    let commands = [&READERS_OF_DATA[..], &READERS_OF_COUPLINGS[..]].concat();
    for whole in [data.unwrap(), couplings.unwrap()] {
        for length in [0, 4, 8, 100, 4096, whole.len() - 1] {
            each_refuses(&program, &whole[..length], &commands, &["safetensors container"]);
        }
        let longer = [&whole[..], b"\0"].concat();
        each_refuses(&program, &longer, &commands, &["safetensors container"]);
    }
    let png = [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".as_slice(), &[7; 5000]].concat();
    let archive = [0xff; 5000];
    let text = b"1,-1,1\n-1,1,1\n".repeat(40);
    for foreign in [&png[..], &archive, &text] {
        each_refuses(&program, foreign, &commands, &["safetensors container"]);
    }
    let weights = container(&[("format", "pt")], &[("J", Dtype::F32, &[2, 2], &[0; 16])]);
    each_refuses(&program, &weights, &commands, &["attractor file", "format_version"]);
    let newer = container(&[("format_version", "99"), ("kind", "couplings")], &[]);
    each_refuses(&program, &newer, &commands, &["99", "newer program"]);
}

#[test]
fn files_of_another_kind() {
    let program = program();
    program.run("recall J data -o states");
    refused(&program, "train J -o new", &["J: expected", "\"data set\"", "\"couplings\""]);
    refused(&program, "recall J J -o new", &["J: expected", "\"data set\"", "\"couplings\""]);
    refused(&program, "recall data data -o new", &["data: expected", "\"couplings\"", "\"data set\""]);
    refused(&program, "train data --init data -o new", &["data: expected", "\"couplings\""]);
    refused(&program, "train states -o new", &["states: expected", "\"data set\"", "\"states\""]);
}

#[test]
fn couplings_of_a_wrong_type_or_shape() {
    let program = program();
    let metadata = [("format_version", "1"), ("kind", "couplings"), ("scale", "1")];
    for dtype in [Dtype::F64, Dtype::F16, Dtype::I32, Dtype::U8] {
        let bytes = vec![0; 4 * dtype.bitsize() / 8];
        let content = container(&metadata, &[("J", dtype, &[2, 2], &bytes)]);
        each_refuses(&program, &content, &READERS_OF_COUPLINGS, &["F32", &format!("{dtype:?}")]);
    }
    let shapes: [(&[usize], &str); 5] = [
        (&[2, 3], "[2, 3]"),
        (&[6], "[6]"),
        (&[1, 2, 2], "[1, 2, 2]"),
        (&[0, 0], "[0, 0]"),
        (&[4, 0], "[4, 0]"),
    ];
    for (shape, found) in shapes {
        let values = vec![0.0; shape.iter().product()];
        each_refuses(&program, &couplings(shape, &values), &READERS_OF_COUPLINGS, &[found]);
    }
    let nameless = container(&metadata, &[("W", Dtype::F32, &[1, 1], &[0; 4])]);
    each_refuses(&program, &nameless, &READERS_OF_COUPLINGS, &["\"J\"", "W"]);
    for scale in ["0", "-1", "NaN", "inf", "one"] {
        let metadata = [("format_version", "1"), ("kind", "couplings"), ("scale", scale)];
        let content = container(&metadata, &[("J", Dtype::F32, &[1, 1], &[0; 4])]);
        each_refuses(&program, &content, &READERS_OF_COUPLINGS, &["scale", scale]);
    }
}

#[test]
fn couplings_that_are_not_finite_or_not_zero_on_the_diagonal() {
    let program = program();
    for (position, value, words) in [
        (1, f32::NAN, ["J[0, 1]", "NaN"]),
        (15, f32::NAN, ["J[3, 3]", "NaN"]),
        (6, f32::INFINITY, ["J[1, 2]", "inf"]),
        (12, f32::NEG_INFINITY, ["J[3, 0]", "-inf"]),
        (10, 0.25, ["J[2, 2]", "0 on the diagonal"]),
    ] {
        let mut values = [0.0; 16];
        values[position] = value;
        each_refuses(&program, &couplings(&[4, 4], &values), &READERS_OF_COUPLINGS, &words);
    }
}

#[test]
fn couplings_and_data_of_different_sizes() {
    let program = program();
    program.run("generate random --n 5 --patterns 3 --test 2 -o data-5");
    refused(&program, "recall J data-5 -o new", &["data-5: expected N = 4", "J", "found N = 5"]);
    refused(&program, "train data-5 --init J -o new", &["J: expected N = 5", "data-5", "found N = 4"]);
}

#[test]
fn data_that_are_empty_or_have_stray_bits() {
    let program = program();
    each_refuses(&program, &data_set("4", &[0, 1], &[]), &READERS_OF_DATA, &["at least 1"]);
    each_refuses(&program, &data_set("0", &[3, 0], &[]), &READERS_OF_DATA, &["at least 1"]);
    let endless = data_set("0", &[1 << 60, 0], &[]);
    each_refuses(&program, &endless, &READERS_OF_DATA, &["at least 1"]);
    let stray = data_set("4", &[3, 1], &[1, 0b1_0000, 2]);
    each_refuses(&program, &stray, &READERS_OF_DATA, &["row 1", "past spin 4"]);
    each_refuses(&program, &data_set("20", &[3, 1], &[0; 3]), &READERS_OF_DATA, &["N = 20", "[3, 1]"]);
    for n_spins in ["four", "-4", "18446744073709551616"] {
        each_refuses(&program, &data_set(n_spins, &[3, 1], &[0; 3]), &READERS_OF_DATA, &[n_spins]);
    }
    let metadata = [("format_version", "1"), ("kind", "data set"), ("n", "4")];
    let signed = container(&metadata, &[("train", Dtype::I8, &[3, 1], &[0; 3])]);
    each_refuses(&program, &signed, &READERS_OF_DATA, &["U8", "I8"]);
    let test_only = container(&metadata, &[("test", Dtype::U8, &[3, 1], &[0; 3])]);
    each_refuses(&program, &test_only, &READERS_OF_DATA, &["train", "test"]);
    let train: (&str, Dtype, &[usize], &[u8]) = ("train", Dtype::U8, &[3, 1], &[0; 3]);
    let few = container(&metadata, &[train, ("weights", Dtype::F32, &[2], &[0; 8])]);
    each_refuses(&program, &few, &READERS_OF_DATA, &["weights", "3", "2"]);
    let negative: Vec<u8> = bytemuck::cast_slice(&[1.0f32, -1.0, 1.0]).to_vec();
    let negative = container(&metadata, &[train, ("weights", Dtype::F32, &[3], &negative)]);
    each_refuses(&program, &negative, &READERS_OF_DATA, &["weights", "-1"]);
}

#[test]
fn files_that_are_not_there() {
    let program = program();
    for command in ["train gone -o new", "recall gone data", "recall J gone", "inspect gone", "export gone"] {
        refused(&program, command, &["gone: cannot ", "No such file"]);
    }
    for command in ["import npy gone -o new", "import csv gone -o new", "import couplings gone -o new"] {
        refused(&program, command, &["gone: cannot ", "No such file"]);
    }
    refused(&program, "import mnist gone -o new", &["gone: expected", "train-images", "no such folder"]);
    std::fs::create_dir(program.path("folder")).unwrap();
    for command in ["train folder -o new", "recall folder data", "inspect folder"] {
        refused(&program, command, &["folder: expected", "found a folder"]);
    }
}

/// Folders with `n_train` and `n_test` images whose pixels are all 0.
fn write_mnist(program: &Program, n_train: u32, n_test: u32) {
    std::fs::create_dir(program.path("mnist")).unwrap();
    for (part, count) in [("train", n_train), ("t10k", n_test)] {
        let lengths = |lengths: &[u32]| lengths.iter().flat_map(|x| x.to_be_bytes()).collect::<Vec<_>>();
        let images = [&[0, 0, 8, 3], &lengths(&[count, 28, 28])[..], &vec![0; count as usize * 784]].concat();
        let labels = [&[0, 0, 8, 1], &lengths(&[count])[..], &vec![3; count as usize]].concat();
        std::fs::write(program.path(&format!("mnist/{part}-images-idx3-ubyte")), images).unwrap();
        std::fs::write(program.path(&format!("mnist/{part}-labels-idx1-ubyte")), labels).unwrap();
    }
}

#[test]
fn more_images_than_mnist_has() {
    let program = Program::new();
    write_mnist(&program, 5, 4);
    refused(
        &program,
        "import mnist mnist --train 6 --test 4",
        &["train: expected", "at most the 5", "found 6"],
    );
    refused(
        &program,
        "import mnist mnist --train 5 --test 7",
        &["test: expected", "at most the 4", "found 7"],
    );
    refused(&program, "import mnist mnist --train 3 --test 3 --held-out", &["train + test", "5", "found 6"]);
    refused(&program, "import mnist mnist --train 0 --test 4", &["train: expected at least 1"]);
    refused(
        &program,
        "import mnist mnist --train 5 --test 4 --crop 29",
        &["crop: expected", "28", "found 29"],
    );
    refused(&program, "import mnist mnist --train 5 --test 4 --crop 0", &["crop: expected", "found 0"]);
    refused(&program, "import mnist mnist", &["train: expected", "at most the 5", "found 60000"]);
    let huge = format!("import mnist mnist --held-out --train 2 --test {}", u64::MAX);
    refused(&program, &huge, &["train + test", "at most the 5"]);
    program.run("import mnist mnist --train 5 --test 4");

    let images = program.path("mnist/train-images-idx3-ubyte");
    let whole = std::fs::read(&images).unwrap();
    std::fs::write(&images, &whole[..whole.len() - 1]).unwrap();
    refused(
        &program,
        "import mnist mnist --train 5 -o new",
        &["train-images-idx3-ubyte", "expected", "found"],
    );
}
