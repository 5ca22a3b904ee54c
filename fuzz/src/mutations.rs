//! Mutations that keep the outer form of a file, so that what is behind it is reached: a container of which one byte more or less
//! breaks the length of its header is refused for that alone.

use serde_json::{Map, Value, json};

/// Longest data of a tensor or array.
const LONGEST: usize = 1 << 10;

/// Types of tensors and their bits.
const DTYPES: [(&str, usize); 9] = [
    ("F32", 32),
    ("U8", 8),
    ("U32", 32),
    ("F64", 64),
    ("I64", 64),
    ("I8", 8),
    ("BOOL", 8),
    ("F16", 16),
    ("F4", 4),
];
const TENSORS: [&str; 22] = [
    "J",
    "theta",
    "columns",
    "train",
    "test",
    "features",
    "weights",
    "train_labels",
    "test_labels",
    "bonds",
    "bond_values",
    "train_names",
    "test_names",
    "initial",
    "final",
    "steps",
    "period",
    "attractors",
    "frequency",
    "energy",
    "",
    "__metadata__ ",
];
const ENTRIES: [&str; 11] = [
    "n",
    "q",
    "columns",
    "letters",
    "scale",
    "self_coupling",
    "format_version",
    "kind",
    "alphabet",
    "rows",
    "run_blake3",
];
const VALUES: [&str; 33] = [
    "0",
    "1",
    "2",
    "3",
    "8",
    "9",
    "64",
    "65",
    "-1",
    "+2",
    "0.5",
    "1e-310",
    "1e400",
    "nan",
    "inf",
    "true",
    "false",
    "18446744073709551615",
    "18446744073709551616",
    "9223372036854775807",
    "4294967296",
    "AC",
    "-ACGT",
    "-ACDEFGHIKLMNPQRSTVWY",
    "AA",
    "a\u{e9}",
    "",
    "couplings",
    "a run",
    "67",
    "0..64",
    "64..67",
    "0..67",
];
const LENGTHS: [u64; 16] = [0, 1, 2, 3, 4, 5, 8, 9, 21, 63, 64, 65, 1 << 32, 1 << 61, u64::MAX / 8, u64::MAX];
/// Bits of floats, and counts.
const WORDS: [u32; 9] = [
    0,
    1,
    2,
    u32::MAX,
    0x3f80_0000, // 1
    0x8000_0000, // -0
    0x7f80_0000, // infinity
    0x7fc0_0000, // no number
    0x7f7f_ffff, // the largest
];

const NPY_TYPES: [(&str, usize); 19] = [
    ("|b1", 1),
    ("|i1", 1),
    ("|u1", 1),
    ("<i2", 2),
    (">u2", 2),
    ("<i4", 4),
    (">u4", 4),
    ("<i8", 8),
    ("<u8", 8),
    ("<f4", 4),
    (">f4", 4),
    ("<f8", 8),
    ("<f2", 2),
    ("<c8", 8),
    ("|S0", 0),
    ("|V0", 0),
    ("|S3", 3),
    ("<U0", 0),
    ("|O", 8),
];

/// Words of lines of JSON, among them names of what an input cannot know.
const WORDS_OF_JSON: [&str; 22] = [
    "RUN",
    "GENERATION",
    "HASH",
    "HASH0",
    "HASH1",
    "RESULT0",
    "RESULT1",
    "a",
    "b",
    "0",
    "1",
    "2",
    "3",
    "4",
    "-1",
    "2.5",
    "1e400",
    "18446744073709551615",
    "null",
    "true",
    "[]",
    "{}",
];

/// What a mutation draws.
pub struct Choices(u64);

impl Choices {
    /// A number below `end`, which is not 0.
    fn below(&mut self, end: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % end as u64) as usize
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// A mutation that keeps a form; none of what does not have it.
pub type OfForm = fn(&[u8], &mut Choices) -> Option<Vec<u8>>;

/// Mutates `content[..size]`, of which `content` is the most it may become: two times in three in its form, else, or where it has
/// none, by `bytes`.
pub fn mutate(
    form: OfForm,
    content: &mut [u8],
    size: usize,
    max_size: usize,
    seed: u32,
    bytes: fn(&mut [u8], usize, usize) -> usize,
) -> usize {
    let mut choices = Choices(seed.into());
    let changed = if choices.below(3) > 0 { form(&content[..size], &mut choices) } else { None };
    match changed.filter(|changed| changed.len() <= max_size) {
        Some(changed) => {
            content[..changed.len()].copy_from_slice(&changed);
            changed.len()
        }
        None => bytes(content, size, max_size),
    }
}

/// An [`OfForm`]: another container, header and data as long as they say, except that shapes may be of more data than there are.
pub fn container(content: &[u8], choices: &mut Choices) -> Option<Vec<u8>> {
    let (length, rest) = content.split_first_chunk::<8>()?;
    let (header, data) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(*length)).ok()?)?;
    let mut header: Map<String, Value> = serde_json::from_slice(header).ok()?;
    let metadata = header.remove("__metadata__");
    let mut metadata: Map<String, Value> = metadata.and_then(|x| x.as_object().cloned()).unwrap_or_default();
    let part = |tensor: &Value| -> Vec<u8> {
        let end = |index: usize| tensor["data_offsets"][index].as_u64().map(|end| end as usize);
        let part = end(0).zip(end(1)).and_then(|(start, end)| data.get(start..end));
        part.unwrap_or_default().to_vec()
    };
    let mut tensors: Vec<(String, Value, Vec<u8>)> = header
        .into_iter()
        .filter(|(_, tensor)| tensor.is_object())
        .map(|(name, tensor)| (name, tensor.clone(), part(&tensor)))
        .collect();
    for _ in 0..=choices.below(3) {
        match choices.below(4) {
            0 => {
                metadata.insert(choices.one_of(&ENTRIES).into(), choices.one_of(&VALUES).into());
            }
            1 if choices.below(4) == 0 => {
                metadata.remove(choices.one_of(&ENTRIES));
            }
            _ => change_one(&mut tensors, choices),
        }
    }
    let mut header = Map::new();
    header.insert("__metadata__".into(), metadata.into());
    let mut data = Vec::new();
    for (name, tensor, mut part) in tensors {
        if let Some(length) = n_bytes(&tensor) {
            part.resize(length, 0);
        }
        let ends = [data.len(), data.len() + part.len()];
        data.extend(part);
        header.insert(
            name,
            json!({ "dtype": tensor["dtype"], "shape": tensor["shape"], "data_offsets": ends }),
        );
    }
    let header = Value::Object(header).to_string();
    Some([&(header.len() as u64).to_le_bytes(), header.as_bytes(), &data].concat())
}

fn change_one(tensors: &mut Vec<(String, Value, Vec<u8>)>, choices: &mut Choices) {
    if tensors.is_empty() {
        return;
    }
    let index = choices.below(tensors.len());
    let (name, tensor, data) = &mut tensors[index];
    match choices.below(8) {
        0 => *name = choices.one_of(&TENSORS).into(),
        1 => tensor["dtype"] = choices.one_of(&DTYPES).0.into(),
        2 => drop(tensors.remove(index)),
        3 => {
            let (name, twin) = (choices.one_of(&TENSORS).to_owned(), (tensor.clone(), data.clone()));
            tensors.retain(|tensor| tensor.0 != name);
            tensors.push((name, twin.0, twin.1));
        }
        4 | 5 => {
            let Some(shape) = tensor["shape"].as_array_mut() else { return };
            match (choices.below(6), shape.len()) {
                (0, _) | (_, 0) => shape.push(choices.one_of(&LENGTHS).into()),
                (1, _) => drop(shape.pop()),
                (_, rank) => shape[choices.below(rank)] = choices.one_of(&LENGTHS).into(),
            }
        }
        _ if data.len() < 4 => data.iter_mut().for_each(|byte| *byte = choices.below(256) as u8),
        6 => {
            let word = choices.below(data.len() / 4);
            data[4 * word..][..4].copy_from_slice(&choices.one_of(&WORDS).to_le_bytes());
        }
        _ => {
            let place = choices.below(data.len());
            data[place] ^= 1 << choices.below(8);
        }
    }
}

/// What the data of a tensor take, if that is not too much.
fn n_bytes(tensor: &Value) -> Option<usize> {
    let bits = DTYPES.iter().find(|dtype| tensor["dtype"] == dtype.0)?.1;
    let mut lengths = tensor["shape"].as_array()?.iter();
    let n_bits = lengths
        .try_fold(bits, |n_bits, length| n_bits.checked_mul(usize::try_from(length.as_u64()?).ok()?))?;
    Some(n_bits / 8).filter(|&n_bytes| n_bytes <= LONGEST)
}

/// An [`OfForm`]: another .npy array, with as many bytes as its shape takes unless that is too much, from those of this file.
pub fn npy(content: &[u8], choices: &mut Choices) -> Option<Vec<u8>> {
    let data = content.get(content.iter().position(|&byte| byte == b'\n')? + 1..)?;
    let (descr, size) = choices.one_of(&NPY_TYPES);
    let lengths: Vec<u64> = (0..choices.one_of(&[0, 1, 1, 2, 2, 2, 2, 3]))
        .map(|_| {
            let lengths = if choices.below(4) == 0 { &LENGTHS[..] } else { &LENGTHS[..6] };
            choices.one_of(lengths)
        })
        .collect();
    let n_elements =
        lengths.iter().try_fold(1usize, |n, &length| n.checked_mul(usize::try_from(length).ok()?));
    let n_bytes = n_elements.and_then(|n| n.checked_mul(size)).filter(|&n_bytes| n_bytes <= LONGEST);
    let order = choices.one_of(&["True", "False"]);
    let shape: String = lengths.iter().map(|length| format!("{length}, ")).collect();
    let header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': ({shape}), }}\n");
    let length = u16::try_from(header.len()).ok()?.to_le_bytes();
    let bytes = data.iter().copied().chain(std::iter::repeat(1)).take(n_bytes.unwrap_or(data.len()));
    Some([b"\x93NUMPY\x01\0", &length[..], header.as_bytes(), &bytes.collect::<Vec<_>>()].concat())
}

/// An [`OfForm`]: lines of JSON, one of them left out, given once more or elsewhere, or with another word in it.
pub fn json_lines(content: &[u8], choices: &mut Choices) -> Option<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> =
        content.split_inclusive(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
    if lines.is_empty() {
        return None;
    }
    let (index, other) = (choices.below(lines.len()), choices.below(lines.len()));
    match choices.below(6) {
        0 => drop(lines.remove(index)),
        1 => lines.insert(other, lines[index].clone()),
        2 => lines.swap(index, other),
        _ => lines[index] = with_another_word(&lines[index], choices),
    }
    Some(lines.concat())
}

fn with_another_word(line: &[u8], choices: &mut Choices) -> Vec<u8> {
    let is_of_word = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    let starts: Vec<usize> = (0..line.len())
        .filter(|&at| is_of_word(line[at]) && (at == 0 || !is_of_word(line[at - 1])))
        .collect();
    if starts.is_empty() {
        return line.to_vec();
    }
    let (before, rest) = line.split_at(choices.one_of(&starts));
    let behind = &rest[rest.iter().take_while(|&&byte| is_of_word(byte)).count()..];
    [before, choices.one_of(&WORDS_OF_JSON).as_bytes(), behind].concat()
}
