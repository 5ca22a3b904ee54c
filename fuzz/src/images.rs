//! IDX files, and MNIST of such images.

use attractor::datasets::{Idx, Mnist, read_idx};

use super::{Folder, accepted};

pub(super) fn idx(content: &[u8]) {
    let folder = Folder::new();
    // Under the name that MNIST has for it.
    let path = folder.file("train-images-idx3-ubyte", content);
    if let Some(labels) = accepted(&path, read_idx::<1>(&path)) {
        assert_eq!(written(&labels), content);
    }
    if let Some(matrix) = accepted(&path, read_idx::<2>(&path)) {
        assert_eq!(written(&matrix), content);
    }
    let Some(images) = accepted(&path, read_idx::<3>(&path)) else { return };
    assert_eq!(written(&images), content);
    let [n_images, ..] = images.shape;
    let labels = Idx { shape: [n_images.min(content.len())], bytes: vec![7; n_images.min(content.len())] };
    folder.file("train-labels-idx1-ubyte", &written(&labels));
    for deskew in [false, true] {
        let mnist = Mnist { n_train: 1, n_test: 0, deskew, ..Mnist::default() };
        if let Ok(data) = mnist.read(path.parent().unwrap()) {
            assert_eq!((data.n_patterns(), data.n_spins(), data.train_labels), (1, 196, Some(vec![7])));
        }
    }
}

fn written<const D: usize>(array: &Idx<D>) -> Vec<u8> {
    let lengths = array.shape.iter().flat_map(|&length| u32::try_from(length).unwrap().to_be_bytes());
    [0, 0, 8, D as u8].into_iter().chain(lengths).chain(array.bytes.iter().copied()).collect()
}
