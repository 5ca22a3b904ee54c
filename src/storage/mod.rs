//! Files: self-describing containers, atomic writes, tables.
//!
//! Knows bytes, shapes and metadata, not what they mean: [`couplings`](crate::couplings) and
//! [`datasets`](crate::datasets) say which tensors and entries their files hold.

mod atomic;
mod container;
mod in_place;
mod integrity;
mod lock;
mod npy;
mod packed;
mod table;
mod task_log;
mod tensor;

pub use atomic::{Overwrite, check_output, folder_of, write_atomically, write_bytes};
pub(crate) use container::Content;
pub use container::{Container, DType, Description, FORMAT_VERSION};
pub(crate) use in_place::InPlace;
pub use integrity::{Integrity, hash_file};
pub use lock::{FolderLock, remove_unfinished};
pub(crate) use npy::NPY_MAGIC;
pub use npy::{NpyArray, write_npy};
pub use packed::packed_bytes;
pub use table::Table;
pub(crate) use task_log::{Synced, TaskLog, remove_file};
pub(crate) use tensor::{Layout, write_container_with_room};
pub use tensor::{Tensor, write_container};
