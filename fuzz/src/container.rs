//! Containers of any kind, and what all kinds have in common.

use attractor::storage::{Container, DType, Description, Overwrite, Tensor, hash_file, write_container};

use super::{Folder, accepted};

/// Every tensor read as every type and number of dimensions in use.
pub(super) fn container(content: &[u8]) {
    let folder = Folder::new();
    let path = folder.file("input", content);
    assert_eq!(hash_file(&path).unwrap().len(), 64);
    let Some(container) = accepted(&path, Container::open_any(&path)) else { return };
    assert_eq!(container.path(), path);
    accepted(&path, Container::open(&path, "couplings"));
    accepted(&path, container.entry::<usize>("n", "a number"));
    accepted(&path, container.entry::<f64>("scale", "a number"));
    let mut tensors = Vec::new();
    for (name, dtype, shape) in container.tensors() {
        assert!(container.has(name));
        accepted(&path, container.spins(name));
        let rank = shape.len();
        accepted(&path, container.values::<u8>(name, DType::U8, rank + 1));
        if let Some((found, values)) = accepted(&path, container.values::<u8>(name, DType::U8, rank)) {
            assert_eq!((found, values.len()), (shape, shape.iter().product()));
            tensors.push(Tensor::u8(name, shape, values));
        }
        if let Some((_, values)) = accepted(&path, container.values::<u32>(name, DType::U32, rank)) {
            assert_eq!((dtype, values.len()), (DType::U32, shape.iter().product()));
            tensors.push(Tensor::u32(name, shape, values));
        }
        if let Some((_, values)) = accepted(&path, container.values::<f32>(name, DType::F32, rank)) {
            assert_eq!((dtype, values.len()), (DType::F32, shape.iter().product()));
            tensors.push(Tensor::f32(name, shape, values));
        }
    }
    let copy = folder.path("copy");
    write_container(&copy, container.kind(), container.description(), &tensors, Overwrite::Refuse).unwrap();
    let read = Container::open(&copy, container.kind()).unwrap();
    assert_eq!(given(read.description()), given(container.description()));
    assert_eq!(read.tensors().count(), tensors.len());
    for (name, dtype, shape) in read.tensors() {
        let bytes = |container: &Container| -> Vec<u8> {
            let rank = shape.len();
            let words = |values: &[u32]| values.iter().flat_map(|value| value.to_le_bytes()).collect();
            match dtype {
                DType::U8 => container.values::<u8>(name, dtype, rank).unwrap().1.to_vec(),
                DType::U32 => words(container.values(name, dtype, rank).unwrap().1),
                _ => words(container.values(name, DType::F32, rank).unwrap().1),
            }
        };
        assert_eq!(bytes(&read), bytes(&container), "{name}");
    }
}

/// What a container says beside what every one says of itself.
pub(super) fn given(description: &Description) -> Description {
    let own = ["format_version", "kind", "program"];
    let entries = description.iter().filter(|(name, _)| !own.contains(&name.as_str()));
    entries.map(|(name, value)| (name.clone(), value.clone())).collect()
}
