//! MNIST digits as spins, prepared as in arXiv:2507.05147: deskewed by moments, cropped about the centre, binarised.
//!
//! The deskewed image is out(y, x) = in(y, x + s (y - 13.5)), y the row, s = mu11 / mu02 with mu11 = sum m (x - x_c)
//! (y - y_c) and mu02 = sum m (y - y_c)^2 of the pixel mass m about its centroid; linear between two pixels of the
//! row, zero outside, rounded. The crop to 14 x 14 keeps rows and columns 7..=20; a pixel above the threshold is +1.

use std::path::{Path, PathBuf};

use super::data_set::{DataSet, at_least_one, provenance};
use super::idx::{Idx, read_idx};
use crate::error::{Error, Result};
use crate::random;
use crate::spins::{SpinMatrix, WORD};

/// Rows and columns of an MNIST image.
pub const SIDE: usize = 28;

type Image = [[u8; SIDE]; SIDE];

/// Where the unseen examples come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestImages {
    /// The official test images, in a seeded order of their own.
    Official,
    /// Training images that are not among the patterns: the next ones of the same permutation.
    HeldOut,
}

/// What to take from MNIST, and how to prepare it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mnist {
    /// P: the first so many of a seeded permutation of the training images.
    pub n_train: usize,
    /// Number of unseen examples; 0 for none.
    pub n_test: usize,
    /// Where the unseen examples come from.
    pub test: TestImages,
    /// Side c of the centre crop, 1..=28: N = c^2. An odd c sits half a pixel up and left of the centre.
    pub crop: usize,
    /// A pixel (0..=255) above it is +1.
    pub threshold: u8,
    /// Whether to deskew first.
    pub deskew: bool,
    /// Seed of the permutations.
    pub seed: u64,
}

impl Default for Mnist {
    /// All training and official test images, prepared as in the paper.
    fn default() -> Self {
        Self {
            n_train: 60_000,
            n_test: 10_000,
            test: TestImages::Official,
            crop: 14,
            threshold: 86,
            deskew: true,
            seed: 0,
        }
    }
}

impl Mnist {
    /// Reads the IDX files in `folder`, named `train-images-idx3-ubyte` or `train-images.idx3-ubyte` and so on. The
    /// official test files need to be there only where they are used.
    ///
    /// # Errors
    /// If a file is missing, not what its name says, or has too few images, or a parameter is out of range.
    pub fn read(&self, folder: &Path) -> Result<DataSet> {
        at_least_one("train", self.n_train)?;
        if !(1..=SIDE).contains(&self.crop) {
            return Err(Error::parameter("crop", format!("1..={SIDE}"), self.crop));
        }
        let images = Images::read(folder, "train")?;
        let held_out = if self.test == TestImages::HeldOut { self.n_test } else { 0 };
        let order = images.permutation("mnist train", self.seed);
        let n_wanted = self.n_train.saturating_add(held_out);
        if n_wanted > order.len() {
            return Err(Error::parameter(
                if held_out > 0 { "train + test" } else { "train" },
                format!("at most the {} images of {}", order.len(), images.path.display()),
                n_wanted,
            ));
        }
        let (train, rest) = order.split_at(self.n_train);
        let mut data = DataSet {
            train_labels: Some(images.labels_of(train)),
            ..DataSet::from_train(self.binarised(&images, train)?)
        };
        let mut digests = vec![("train_images_blake3", images.digest())];
        if self.n_test > 0 {
            let official;
            let (source, rows) = match self.test {
                TestImages::HeldOut => (&images, rest[..self.n_test].to_vec()),
                TestImages::Official => {
                    official = Images::read(folder, "t10k")?;
                    digests.push(("test_images_blake3", official.digest()));
                    let mut order = official.permutation("mnist test", self.seed);
                    if self.n_test > order.len() {
                        let expected =
                            format!("at most the {} images of {}", order.len(), official.path.display());
                        return Err(Error::parameter("test", expected, self.n_test));
                    }
                    order.truncate(self.n_test);
                    (&official, order)
                }
            };
            data.test = Some(self.binarised(source, &rows)?);
            data.test_labels = Some(source.labels_of(&rows));
        }
        let test = match self.test {
            TestImages::Official => "official",
            TestImages::HeldOut => "held-out",
        };
        data.provenance = provenance(
            "mnist",
            &[
                ("n_train", &self.n_train),
                ("n_test", &self.n_test),
                ("test", &test),
                ("crop", &self.crop),
                ("threshold", &self.threshold),
                ("deskew", &self.deskew),
                ("seed", &self.seed),
            ],
        );
        data.provenance.extend(digests.into_iter().map(|(name, digest)| (name.to_owned(), digest)));
        data.validated()
    }

    /// Number of training images in `folder`: 60000 of MNIST.
    ///
    /// # Errors
    /// If their file or that of their labels is missing, or the latter is no such file.
    pub fn n_images(folder: &Path) -> Result<usize> {
        find(folder, "train-images", "idx3-ubyte")?;
        Ok(labels(folder, "train")?.1.shape[0])
    }

    fn binarised(&self, images: &Images, rows: &[usize]) -> Result<SpinMatrix> {
        let first = (SIDE - self.crop) / 2;
        let kept = first..first + self.crop;
        let n_spins = self.crop * self.crop;
        let mut words = Vec::with_capacity(rows.len() * n_spins.div_ceil(WORD));
        for &row in rows {
            let raw = images.image(row);
            let image = if self.deskew { deskewed(&raw) } else { raw };
            let mut packed = vec![0; n_spins.div_ceil(WORD)];
            let pixels = image[kept.clone()].iter().flat_map(|line| &line[kept.clone()]);
            for (site, &pixel) in pixels.enumerate() {
                packed[site / WORD] |= u64::from(pixel > self.threshold) << (site % WORD);
            }
            words.extend(packed);
        }
        SpinMatrix::from_words(rows.len(), n_spins, words)
    }
}

/// The image sheared so that its rows' centres of mass no longer drift; unchanged where its mass has no height.
fn deskewed(image: &Image) -> Image {
    let mut mass = [0.0; 3]; // sums of m, m x, m y
    let pixels =
        || image.iter().enumerate().flat_map(|(y, row)| row.iter().enumerate().map(move |(x, m)| (y, x, m)));
    for (y, x, &m) in pixels() {
        let m = f64::from(m);
        mass[0] += m;
        mass[1] += m * x as f64;
        mass[2] += m * y as f64;
    }
    // Sums of integers are exact, so a blank image has a mass of exactly 0.
    if mass[0] == 0.0 {
        return *image;
    }
    let (x_centre, y_centre) = (mass[1] / mass[0], mass[2] / mass[0]);
    let (mut mu11, mut mu02) = (0.0, 0.0);
    for (y, x, &m) in pixels() {
        let height = y as f64 - y_centre;
        mu11 += f64::from(m) * (x as f64 - x_centre) * height;
        mu02 += f64::from(m) * height * height;
    }
    if mu02 == 0.0 {
        return *image;
    }
    let shear = mu11 / mu02;
    let middle = (SIDE - 1) as f64 / 2.0;
    std::array::from_fn(|y| {
        std::array::from_fn(|x| {
            let source = x as f64 + shear * (y as f64 - middle);
            if source <= -1.0 || source >= SIDE as f64 {
                return 0;
            }
            let left = source.floor();
            let fraction = source - left;
            let pixel = |column: f64| {
                if (0.0..SIDE as f64).contains(&column) { f64::from(image[y][column as usize]) } else { 0.0 }
            };
            (pixel(left) * (1.0 - fraction) + pixel(left + 1.0) * fraction).round() as u8
        })
    })
}

/// One pair of files: images and their labels.
struct Images {
    path: PathBuf,
    pixels: Idx<3>,
    labels: Idx<1>,
}

impl Images {
    fn read(folder: &Path, part: &str) -> Result<Self> {
        let path = find(folder, &format!("{part}-images"), "idx3-ubyte")?;
        let pixels: Idx<3> = read_idx(&path)?;
        if pixels.shape[1..] != [SIDE, SIDE] {
            let found = format!("{} x {}", pixels.shape[1], pixels.shape[2]);
            return Err(Error::format(&path, format!("images of {SIDE} x {SIDE} pixels"), found));
        }
        let (labels_path, labels) = labels(folder, part)?;
        if labels.shape[0] != pixels.shape[0] {
            let expected = format!("{} labels, one an image", pixels.shape[0]);
            return Err(Error::format(&labels_path, expected, labels.shape[0].to_string()));
        }
        Ok(Self { path, pixels, labels })
    }

    fn image(&self, row: usize) -> Image {
        let pixels = &self.pixels.bytes[row * SIDE * SIDE..][..SIDE * SIDE];
        std::array::from_fn(|y| std::array::from_fn(|x| pixels[y * SIDE + x]))
    }

    fn labels_of(&self, rows: &[usize]) -> Vec<u8> {
        rows.iter().map(|&row| self.labels.bytes[row]).collect()
    }

    fn permutation(&self, domain: &str, seed: u64) -> Vec<usize> {
        random::permutation(&mut random::stream(seed, domain, &[]), self.pixels.shape[0])
    }

    /// BLAKE3 of the pixels: tells which images these are, wherever the files lie.
    fn digest(&self) -> String {
        blake3::hash(&self.pixels.bytes).to_hex().to_string()
    }
}

/// The labels of a part, and their file.
fn labels(folder: &Path, part: &str) -> Result<(PathBuf, Idx<1>)> {
    let path = find(folder, &format!("{part}-labels"), "idx1-ubyte")?;
    let labels = read_idx(&path)?;
    Ok((path, labels))
}

/// The file of this name in `folder`, in either spelling in use.
fn find(folder: &Path, stem: &str, suffix: &str) -> Result<PathBuf> {
    let names = [format!("{stem}-{suffix}"), format!("{stem}.{suffix}")];
    if let Some(path) = names.iter().map(|name| folder.join(name)).find(|path| path.exists()) {
        return Ok(path);
    }
    let packed = names.iter().map(|name| format!("{name}.gz")).find(|name| folder.join(name).exists());
    let found = match packed {
        Some(name) => format!("only {name} (unpack it with gunzip first)"),
        None if folder.is_dir() => "neither".to_owned(),
        None => "no such folder".to_owned(),
    };
    Err(Error::format(folder, format!("a folder with the MNIST file {} or {}", names[0], names[1]), found))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A folder of `n` images that differ in their first pixel of row 7, labelled by their number.
    fn folder(n: usize, write_test_files: bool) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let mut images =
            [&[0, 0, 8, 3, 0, 0, 0, n as u8, 0, 0, 0, 28, 0, 0, 0, 28][..], &vec![0; n * 784]].concat();
        for row in 0..n {
            images[16 + row * 784 + 7 * SIDE + 7 + row % 14] = 255;
        }
        let labels: Vec<u8> = [0, 0, 8, 1, 0, 0, 0, n as u8].into_iter().chain(0..n as u8).collect();
        fs::write(folder.path().join("train-images-idx3-ubyte"), &images).unwrap();
        fs::write(folder.path().join("train-labels.idx1-ubyte"), &labels).unwrap();
        if write_test_files {
            fs::write(folder.path().join("t10k-images.idx3-ubyte"), &images).unwrap();
            fs::write(folder.path().join("t10k-labels-idx1-ubyte"), &labels).unwrap();
        }
        folder
    }

    /// A bar of two columns that leans by one column a row, about the middle of the image: its shear is exactly 1, and
    /// straightened about row 13.5 it lies half a pixel off the grid.
    #[test]
    fn a_leaning_bar_is_straightened() {
        let mut image = [[0; SIDE]; SIDE];
        for y in 4..24 {
            image[y][y] = 200;
            image[y][y + 1] = 200;
        }
        let mut upright = [0; SIDE];
        upright[13..16].copy_from_slice(&[100, 200, 100]);
        for (y, row) in deskewed(&image).into_iter().enumerate() {
            assert_eq!(row, if (4..24).contains(&y) { upright } else { [0; SIDE] }, "row {y}");
        }
    }

    #[test]
    fn images_without_mass_or_height_stay_as_they_are() {
        let blank = [[0; SIDE]; SIDE];
        assert_eq!(deskewed(&blank), blank);
        let mut line = blank;
        line[3] = [9; SIDE];
        assert_eq!(deskewed(&line), line);
    }

    /// A shear of 27 columns a row sends most pixels far outside; they read as zero.
    #[test]
    fn an_extreme_shear_reads_zero_outside() {
        let mut image = [[0; SIDE]; SIDE];
        (image[0][0], image[1][27]) = (255, 255);
        assert!(deskewed(&image).iter().flatten().all(|&pixel| pixel == 0));
    }

    #[test]
    fn held_out_images_are_disjoint_from_the_patterns() {
        let folder = folder(10, false);
        let mnist = Mnist { n_train: 6, n_test: 4, test: TestImages::HeldOut, ..Mnist::default() };
        let data = mnist.read(folder.path()).unwrap();
        let (train, test) = (data.train_labels.unwrap(), data.test_labels.unwrap());
        let mut all = [&train[..], &test].concat();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..10));
        for (matrix, labels) in [(&data.train, &train), (data.test.as_ref().unwrap(), &test)] {
            for (row, &label) in labels.iter().enumerate() {
                assert_eq!(matrix.row_bits(row).iter_ones().collect::<Vec<_>>(), [usize::from(label)]);
            }
        }
        let more = Mnist { n_train: 8, n_test: 0, ..mnist }.read(folder.path()).unwrap();
        assert_eq!(
            more.train_labels.unwrap()[..6],
            train,
            "patterns of a larger set extend those of a smaller one"
        );
    }

    #[test]
    fn official_test_images_come_from_their_own_files() {
        let mnist = Mnist { n_train: 3, n_test: 5, ..Mnist::default() };
        let data = mnist.read(folder(5, true).path()).unwrap();
        let mut labels = data.test_labels.unwrap();
        labels.sort_unstable();
        assert!(labels.into_iter().eq(0..5));
        let error = mnist.read(folder(5, false).path()).unwrap_err().to_string();
        assert!(error.contains("t10k-images-idx3-ubyte"), "{error}");
    }

    #[test]
    fn requests_that_mnist_cannot_meet_are_refused() {
        let folder = folder(5, true);
        let message = |mnist: Mnist| mnist.read(folder.path()).unwrap_err().to_string();
        let small = Mnist { n_train: 5, n_test: 5, ..Mnist::default() };
        assert!(message(Mnist { n_train: 6, ..small.clone() }).contains("at most the 5 images"));
        assert!(message(Mnist { n_test: 6, ..small.clone() }).contains("at most the 5 images"));
        assert!(message(Mnist { test: TestImages::HeldOut, ..small.clone() }).contains("train + test"));
        assert!(
            message(Mnist { n_train: usize::MAX, test: TestImages::HeldOut, ..small.clone() })
                .contains("train")
        );
        assert!(message(Mnist { crop: 29, ..small.clone() }).contains("1..=28"));
        assert!(message(Mnist { n_train: 0, ..small.clone() }).contains("at least 1"));
        let missing = small.read(Path::new("no such folder")).unwrap_err().to_string();
        assert!(
            missing.contains("no such folder") && missing.contains("train-images-idx3-ubyte"),
            "{missing}"
        );
        fs::rename(
            folder.path().join("train-images-idx3-ubyte"),
            folder.path().join("train-images-idx3-ubyte.gz"),
        )
        .unwrap();
        assert!(message(small).contains("gunzip"));
    }
}
