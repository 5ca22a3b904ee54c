//! NumPy's .npy arrays of spins, in and out, of letters, out, and vectors, in.

use std::io;
use std::path::Path;

use npyz::{Order, TypeChar};

use super::spin_encoding::SpinEncoding;
use crate::error::{Error, Result};
use crate::spins::{Sequences, SpinMatrix, WORD};
use crate::storage::{NpyArray, Overwrite, write_npy};

/// Reads a 2-D array [P, N] (or [P, ceil(N / 8)] bytes if packed) as P rows of N spins, in C or Fortran order and
/// either byte order.
///
/// # Errors
/// If the file cannot be read, is no such array, has no elements, or a value means no spin.
pub fn read_npy_spins(path: &Path, encoding: SpinEncoding) -> Result<SpinMatrix> {
    let array = NpyArray::open(path)?;
    let &[n_rows, n_columns] = array.shape() else {
        return Err(Error::format(path, "a 2-D array, a row each state", array.describe()));
    };
    if n_rows == 0 || n_columns == 0 {
        return Err(Error::format(path, "at least one row and one column", array.describe()));
    }
    // Of the e-th element in the file.
    let index = match array.order() {
        Order::C => |e: usize, _: usize, n_columns: usize| (e / n_columns, e % n_columns),
        Order::Fortran => |e: usize, n_rows: usize, _: usize| (e % n_rows, e / n_rows),
    };
    if let SpinEncoding::Packed { n_spins } = encoding {
        if array.scalar_type() != Some((TypeChar::Uint, 1)) || n_columns != n_spins.div_ceil(8) {
            let expected = format!("uint8 of shape [P, {}], {n_spins} spins packed", n_spins.div_ceil(8));
            return Err(Error::format(path, expected, array.describe()));
        }
        let mut spins = SpinMatrix::all_down(n_rows, n_spins);
        for (e, byte) in array.values()?.enumerate() {
            let (row, column) = index(e, n_rows, n_columns);
            let byte = byte.map_err(Error::io(path, "read"))? as u64;
            spins.row_mut(row)[column / 8] |= byte << (column % 8 * 8);
        }
        let last_mask = spins.last_mask();
        if let Some(row) = (0..n_rows).find(|&row| spins.row(row).last().is_some_and(|w| w & !last_mask != 0))
        {
            let expected = format!("zero bits past spin {n_spins}");
            return Err(Error::format(path, expected, format!("a set one in row {row}")));
        }
        return Ok(spins);
    }
    let (encoding, expected) = match array.scalar_type() {
        Some((TypeChar::Bool, _)) => (SpinEncoding::ZeroOne, "booleans"),
        _ => (encoding, encoding.values()),
    };
    // Elements that cannot be read may have no size, and a shape that is not bounded by the file then.
    let values = array.values()?;
    let mut spins = SpinMatrix::all_down(n_rows, n_columns);
    for (e, value) in values.enumerate() {
        let (row, column) = index(e, n_rows, n_columns);
        let value = value.map_err(|error| match error.kind() {
            io::ErrorKind::InvalidData => {
                Error::format(path, expected, format!("an {error} at [{row}, {column}]"))
            }
            _ => Error::io(path, "read")(error),
        })?;
        let Some(up) = encoding.is_up(value) else {
            return Err(Error::format(path, expected, format!("{value} at [{row}, {column}]")));
        };
        spins.row_mut(row)[column / WORD] |= u64::from(up) << (column % WORD);
    }
    Ok(spins)
}

/// Reads a 1-D array of numbers.
///
/// # Errors
/// If the file cannot be read or is no such array.
pub(super) fn read_npy_vector(path: &Path) -> Result<Vec<f64>> {
    let array = NpyArray::open(path)?;
    if array.shape().len() != 1 {
        return Err(Error::format(path, "a 1-D array", array.describe()));
    }
    array.values()?.collect::<io::Result<_>>().map_err(Error::io(path, "read"))
}

/// Writes spins as an array of int8, +1 and -1, [rows, N], in C order, atomically.
///
/// # Errors
/// If the output exists and may not be replaced, or cannot be written.
pub fn write_npy_spins(path: &Path, spins: &SpinMatrix, overwrite: Overwrite) -> Result<()> {
    let rows = (0..spins.n_rows())
        .map(|row| (0..spins.n_spins()).map(|site| spins.spin(row, site)).collect::<Vec<i8>>());
    write_npy(path, &[spins.n_rows(), spins.n_spins()], rows, overwrite)
}

/// Writes letters as an array of uint8, numbers below q, [rows, L], in C order, atomically.
///
/// # Errors
/// If the output exists and may not be replaced, or cannot be written.
pub fn write_npy_letters(path: &Path, sequences: &Sequences, overwrite: Overwrite) -> Result<()> {
    let (n_rows, n_columns) = (sequences.n_rows(), sequences.n_columns());
    let rows = (0..n_rows).map(|row| sequences.row(row).to_vec());
    write_npy(path, &[n_rows, n_columns], rows, overwrite)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::stream;
    use crate::storage::NPY_MAGIC as MAGIC;
    use rand_core::Rng;

    /// An .npy file of version 1.
    fn npy(descr: &str, fortran: bool, shape: &str, data: &[u8]) -> tempfile::NamedTempFile {
        let order = if fortran { "True" } else { "False" };
        let text = format!("{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n");
        let length = (text.len() as u16).to_le_bytes();
        raw(&[MAGIC, &[1, 0], &length, text.as_bytes(), data].concat())
    }

    fn raw(content: &[u8]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        file
    }

    fn signs() -> SpinMatrix {
        SpinMatrix::from_signs(2, 3, &[1, -1, -1, -1, 1, 1]).unwrap()
    }

    #[test]
    fn every_dtype_and_byte_order_is_read() {
        let values = [1i8, -1, -1, -1, 1, 1];
        let bytes = |encode: &dyn Fn(i8) -> Vec<u8>| {
            values.iter().flat_map(|&value| encode(value)).collect::<Vec<_>>()
        };
        for (descr, data) in [
            ("'|b1'", bytes(&|v| vec![u8::from(v > 0)])),
            ("'|i1'", bytes(&|v| vec![v as u8])),
            ("'<i2'", bytes(&|v| i16::from(v).to_le_bytes().to_vec())),
            ("'>i4'", bytes(&|v| i32::from(v).to_be_bytes().to_vec())),
            ("'<i8'", bytes(&|v| i64::from(v).to_le_bytes().to_vec())),
            ("'<f4'", bytes(&|v| f32::from(v).to_le_bytes().to_vec())),
            ("'>f8'", bytes(&|v| f64::from(v).to_be_bytes().to_vec())),
        ] {
            let file = npy(descr, false, "(2, 3)", &data);
            assert_eq!(read_npy_spins(file.path(), SpinEncoding::Signs).unwrap(), signs(), "{descr}");
        }
        let file = npy("'|u1'", false, "(2, 3)", &[1, 0, 0, 0, 1, 1]);
        assert_eq!(read_npy_spins(file.path(), SpinEncoding::ZeroOne).unwrap(), signs());
    }

    #[test]
    fn fortran_order_runs_down_the_columns() {
        let file = npy("'|i1'", true, "(2, 3)", &[1, 255, 255, 1, 255, 1]);
        assert_eq!(read_npy_spins(file.path(), SpinEncoding::Signs).unwrap(), signs());
    }

    #[test]
    fn packed_bytes_hold_the_first_spin_in_the_lowest_bit() {
        let packed = SpinEncoding::Packed { n_spins: 10 };
        for (fortran, data) in [(false, [0b101, 0b10, 0xff, 0]), (true, [0b101, 0xff, 0b10, 0])] {
            let spins = read_npy_spins(npy("'|u1'", fortran, "(2, 2)", &data).path(), packed).unwrap();
            let up = |row| spins.row_bits(row).iter_ones().collect::<Vec<_>>();
            assert_eq!((up(0), up(1)), (vec![0, 2, 9], (0..8).collect()));
        }
        let message = |descr, shape, n_spins| {
            let file = npy(descr, false, shape, &[0, 4, 0, 0]);
            read_npy_spins(file.path(), SpinEncoding::Packed { n_spins }).unwrap_err().to_string()
        };
        assert!(message("'|u1'", "(2, 2)", 10).contains("zero bits past spin 10, found a set one in row 0"));
        assert!(message("'|u1'", "(2, 2)", 17).contains("shape [P, 3]"));
        assert!(message("'|i1'", "(2, 2)", 10).contains("expected uint8"));
    }

    #[test]
    fn values_that_are_no_spins_are_named_with_their_place() {
        let message = |descr, data: &[u8], encoding| {
            read_npy_spins(npy(descr, false, "(2, 3)", data).path(), encoding).unwrap_err().to_string()
        };
        let zero = message("'|i1'", &[1, 1, 1, 1, 0, 1], SpinEncoding::Signs);
        assert!(zero.contains("expected +1 or -1, found 0 at [1, 1]"), "{zero}");
        let minus = message("'|i1'", &[1, 0, 255, 1, 0, 1], SpinEncoding::ZeroOne);
        assert!(minus.contains("expected 0 or 1, found -1 at [0, 2]"), "{minus}");
        let nan = [1.0, f32::NAN, 1.0, 1.0, 1.0, 1.0].map(f32::to_le_bytes).concat();
        assert!(message("'<f4'", &nan, SpinEncoding::Signs).contains("found NaN at [0, 1]"));
        assert!(message("'|b1'", &[1, 0, 0, 0, 1, 2], SpinEncoding::Signs).contains("bool: 2 at [1, 2]"));
    }

    #[test]
    fn arrays_of_another_kind_are_refused() {
        let message = |file: tempfile::NamedTempFile| {
            read_npy_spins(file.path(), SpinEncoding::Signs).unwrap_err().to_string()
        };
        assert!(message(npy("'|i1'", false, "(3,)", &[1; 3])).contains("expected a 2-D array"));
        assert!(message(npy("'|i1'", false, "(1, 1, 3)", &[1; 3])).contains("shape [1, 1, 3]"));
        assert!(message(npy("'|i1'", false, "(0, 3)", &[])).contains("at least one row"));
        assert!(message(npy("'<c8'", false, "(1, 1)", &[0; 8])).contains("dtype '<c8'"));
        assert!(message(npy("'<f2'", false, "(1, 1)", &[0; 2])).contains("dtype '<f2'"));
        assert!(message(npy("'|O'", false, "(1, 1)", &[0; 9])).contains("dtype '|O'"));
        for unsized_type in ["'|S0'", "'|O'"] {
            let endless = npy(unsized_type, false, "(1099511627776, 1048576)", &[]);
            assert!(message(endless).contains("integers, float32"), "{unsized_type}");
        }
        assert!(message(npy("[('a', '|i1')]", false, "(1, 1)", &[1])).contains("integers, float32"));
        assert!(message(npy("'|i1'", false, "(2, 3)", &[1; 5])).contains("expected 6 bytes of data"));
        assert!(message(npy("'|i1'", false, "(2, 3)", &[1; 7])).contains("found 7 bytes"));
        assert!(message(raw(b"PK\x03\x04")).contains("expected an .npy file"));
    }

    /// Neither shapes beyond u64, in any spelling, nor deep nesting, nor a cut header may bring the reader down.
    #[test]
    fn hostile_headers_are_refused() {
        let refused =
            |file: tempfile::NamedTempFile| read_npy_spins(file.path(), SpinEncoding::Signs).is_err();
        let huge = u64::MAX.to_string();
        for shape in [
            format!("({huge}, {huge})"),
            format!("({huge}, {huge}, 0)"),
            "(0xffffffffffffffff, 0xffffffffffffffff)".to_owned(),
            "(9_000_000_000_000_000_000, 9_000_000_000_000_000_000)".to_owned(),
            format!("(1, {huge})"),
            format!("({huge}9, 1)"),
            "(-1, 1)".to_owned(),
            "((".repeat(4000),
            format!("{}1{}", "[".repeat(30), "]".repeat(30)),
            format!("{}1{}", "[".repeat(4000), "]".repeat(4000)),
            String::new(),
        ] {
            assert!(refused(npy("'|i1'", false, &shape, &[1])), "{shape}");
        }
        assert!(refused(npy("'|V4294967296'", false, "(4294967296, 4294967296)", &[1])));
        for header in
            [&[1, 0][..], &[1, 0, 255, 255], &[2, 0, 255, 255, 255, 255], &[9, 9, 0, 0, 0, 0], &[1, 0, 0, 0]]
        {
            assert!(refused(raw(&[MAGIC, header].concat())), "{header:?}");
        }
    }

    #[test]
    fn written_spins_are_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spins.npy");
        for (n_rows, n_spins) in [(1, 1), (3, 64), (5, 130)] {
            let mut rng = stream(1, "npy test", &[]);
            let bools: Vec<bool> = (0..n_rows * n_spins).map(|_| rng.next_u64() >> 63 == 1).collect();
            let spins = SpinMatrix::from_bools(n_rows, n_spins, &bools).unwrap();
            write_npy_spins(&path, &spins, Overwrite::Replace).unwrap();
            assert_eq!(read_npy_spins(&path, SpinEncoding::Signs).unwrap(), spins);
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary is left");
        assert!(
            write_npy_spins(&folder.path().join("missing/spins.npy"), &signs(), Overwrite::Refuse).is_err()
        );
    }

    #[test]
    fn vectors_have_one_dimension() {
        let data = [0.5f64, 2.0].map(f64::to_le_bytes).concat();
        assert_eq!(read_npy_vector(npy("'<f8'", false, "(2,)", &data).path()).unwrap(), [0.5, 2.0]);
        assert!(read_npy_vector(npy("'<f8'", false, "(2, 1)", &data).path()).is_err());
    }

    #[test]
    fn letters_are_written_as_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("letters.npy");
        let sequences = Sequences::new(3, 21, vec![0, 20, 7, 1, 2, 3]).unwrap();
        write_npy_letters(&path, &sequences, Overwrite::Refuse).unwrap();
        let array = NpyArray::open(&path).unwrap();
        assert_eq!(array.shape(), [2, 3]);
        let letters: io::Result<Vec<f64>> = array.values().unwrap().collect();
        assert_eq!(letters.unwrap(), [0.0, 20.0, 7.0, 1.0, 2.0, 3.0]);
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(bytes[bytes.len() - 6..], *sequences.letters());
        assert!(write_npy_letters(&path, &sequences, Overwrite::Refuse).is_err());
    }
}
