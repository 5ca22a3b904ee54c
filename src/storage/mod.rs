//! Files: self-describing containers, atomic writes, tables.
//!
//! Knows bytes, shapes and metadata, not what they mean: [`couplings`](crate::couplings) and
//! [`datasets`](crate::datasets) say which tensors and entries their files hold.

mod atomic;
mod container;
mod lock;
mod npy;
mod packed;
mod table;

pub use atomic::{Overwrite, check_output, write_atomically, write_bytes};
pub use container::{Container, DType, Description, FORMAT_VERSION, Tensor, hash_file, write_container};
pub use lock::{FolderLock, remove_unfinished};
pub(crate) use npy::NPY_MAGIC;
pub use npy::{NpyArray, write_npy};
pub use packed::packed_bytes;
pub use table::Table;
