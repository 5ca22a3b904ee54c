//! Spin states as pictures: a [`Montage`] of tiles for a file, [`half_blocks`] for a terminal.

use std::path::Path;

use kuva::render::color::Color as Ink;
use kuva::render::render::{Primitive, Scene, TextAnchor};

use super::canvas;
use crate::error::{Error, Result};
use crate::spins::SpinMatrix;
use crate::storage::{Overwrite, write_bytes};

const TEXT_SIZE: u32 = 14;
const LINE: f64 = 17.0;
/// Space around tiles, and between tiles and captions.
const MARGIN: f64 = 8.0;
/// A tile is about this wide and high, as whole pixels a spin allow.
const TILE: usize = 60;
/// Captions of columns wider than this, and than a tile, are broken.
const CAPTION: f64 = 84.0;
const UP: Ink = Ink::Rgb(0x1F, 0x2A, 0x44);
const DOWN: Ink = Ink::Rgb(0xE9, 0xE9, 0xE4);

/// Tiles in rows and columns, one state each; +1 is dark.
#[derive(Clone, Debug, PartialEq)]
pub struct Montage {
    states: SpinMatrix, // in reading order
    shape: (usize, usize),
    n_columns: usize,
    column_captions: Vec<String>,
    row_captions: Vec<String>,
}

impl Montage {
    /// All rows of `states` in reading order, `n_columns` tiles a line, each of `shape` = (height, width) spins.
    ///
    /// # Errors
    /// If a state is not height x width spins, or there is none, or no column.
    pub fn gallery(states: &SpinMatrix, shape: (usize, usize), n_columns: usize) -> Result<Self> {
        check_shape(states, shape)?;
        if n_columns == 0 {
            return Err(Error::parameter("columns of a montage", "at least 1", 0));
        }
        let (column_captions, row_captions) = (Vec::new(), Vec::new());
        Ok(Self { states: states.clone(), shape, n_columns, column_captions, row_captions })
    }

    /// What it shows in words, for who does not see it.
    pub fn description(&self) -> String {
        let (height, width) = self.shape;
        let columns = match &self.column_captions[..] {
            [] => String::new(),
            captions => format!(", in columns: {}", captions.join(", ")),
        };
        format!("pictures of {} states of {height} x {width} spins{columns}", self.states.n_rows())
    }

    /// One column for each named set of states: line r shows state r of every set.
    ///
    /// # Errors
    /// As for [`gallery`](Self::gallery), or if the sets differ in their number of states.
    pub fn columns(columns: &[(&str, &SpinMatrix)], shape: (usize, usize)) -> Result<Self> {
        let n_rows = columns.first().map_or(0, |(_, states)| states.n_rows());
        for (caption, states) in columns {
            check_shape(states, shape)?;
            if states.n_rows() != n_rows {
                let what = format!("montage column '{caption}'");
                let (expected, found) = (format!("{n_rows} states"), format!("{} states", states.n_rows()));
                return Err(Error::shape(what, expected, found));
            }
        }
        let lines = (0..n_rows).flat_map(|row| columns.iter().flat_map(move |(_, states)| states.row(row)));
        let words = lines.copied().collect();
        let states = SpinMatrix::from_words(n_rows * columns.len(), shape.0 * shape.1, words)?;
        let column_captions = columns.iter().map(|(caption, _)| (*caption).to_owned()).collect();
        Ok(Self { column_captions, ..Self::gallery(&states, shape, columns.len())? })
    }

    /// Writes a caption at the left of each line.
    ///
    /// # Errors
    /// If there is not one for each line.
    pub fn with_row_captions(self, captions: Vec<String>) -> Result<Self> {
        if captions.len() != self.n_lines() {
            let (expected, found) = (self.n_lines().to_string(), captions.len().to_string());
            return Err(Error::shape("row captions of a montage", expected, found));
        }
        Ok(Self { row_captions: captions, ..self })
    }

    /// Writes `<stem>.png`, replacing a file of that name.
    ///
    /// # Errors
    /// If the picture is too large for one file, or it cannot be written.
    pub fn write(&self, stem: &Path, overwrite: Overwrite) -> Result<()> {
        write_bytes(&canvas::with_suffix(stem, "png"), overwrite, &self.png()?)
    }

    /// The montage as a PNG file.
    ///
    /// # Errors
    /// If the picture is too large for one file.
    pub fn png(&self) -> Result<Vec<u8>> {
        // Squares on whole pixels need no oversampling.
        canvas::png(&self.scene(), 1)
    }

    fn n_lines(&self) -> usize {
        self.states.n_rows().div_ceil(self.n_columns)
    }

    /// Scene units a spin is wide and high.
    fn spin_size(&self) -> f64 {
        (TILE / self.shape.0.max(self.shape.1)).max(1) as f64
    }

    fn tile_size(&self) -> (f64, f64) {
        (self.shape.0 as f64 * self.spin_size(), self.shape.1 as f64 * self.spin_size())
    }

    /// Distance of neighbouring columns, which their captions may widen.
    fn pitch(&self, captions: &[Vec<String>]) -> f64 {
        let texts = captions.iter().flatten().map(|line| canvas::text_width(line, TEXT_SIZE));
        texts.fold(self.tile_size().1, f64::max).ceil() + MARGIN
    }

    fn scene(&self) -> Scene {
        let (tile_height, tile_width) = self.tile_size();
        let wrap = |caption: &String| canvas::wrap(caption, TEXT_SIZE, tile_width.max(CAPTION));
        let captions: Vec<Vec<String>> = self.column_captions.iter().map(wrap).collect();
        let caption_lines = captions.iter().map(Vec::len).max().unwrap_or(0);
        let row_captions = self.row_captions.iter().map(|caption| canvas::text_width(caption, TEXT_SIZE));
        let side = row_captions.map(|width| width.ceil() + MARGIN).fold(0.0, f64::max);
        let pitch = self.pitch(&captions);
        let (left, top) = (MARGIN + side, MARGIN + caption_lines as f64 * LINE);

        let n_lines = self.n_lines() as f64;
        let width = left + self.n_columns as f64 * pitch;
        let mut scene = canvas::page(width, top + n_lines * (tile_height + MARGIN));
        let column_left =
            |column: usize| left + column as f64 * pitch + ((pitch - MARGIN - tile_width) / 2.0).floor();
        let line_top = |line: usize| top + line as f64 * (tile_height + MARGIN);

        for (column, lines) in captions.iter().enumerate() {
            for (index, text) in lines.iter().enumerate() {
                // The last line of every caption stands just above the tiles.
                let above = (lines.len() - 1 - index) as f64 * LINE;
                let place = (column_left(column) + tile_width / 2.0, top - 6.0 - above);
                canvas::add_text(&mut scene, place, TextAnchor::Middle, TEXT_SIZE, text);
            }
        }
        for (line, caption) in self.row_captions.iter().enumerate() {
            let place = (left - MARGIN, line_top(line) + tile_height / 2.0 + 0.35 * f64::from(TEXT_SIZE));
            canvas::add_text(&mut scene, place, TextAnchor::End, TEXT_SIZE, caption);
        }
        for state in 0..self.states.n_rows() {
            let corner = (column_left(state % self.n_columns), line_top(state / self.n_columns));
            self.add_tile(&mut scene, corner, state);
        }
        scene
    }

    /// The ground in one piece, then each run of +1 along a row of the tile.
    fn add_tile(&self, scene: &mut Scene, (left, top): (f64, f64), state: usize) {
        let (tile_height, tile_width) = self.tile_size();
        let size = self.spin_size();
        let (mut x, mut y, mut w, mut h) = (vec![left], vec![top], vec![tile_width], vec![tile_height]);
        let mut fills = vec![DOWN];
        for (index, row) in self.states.row_bits(state).chunks(self.shape.1).enumerate() {
            let mut column = 0;
            while let Some(start) = row[column..].first_one().map(|skipped| column + skipped) {
                let run = row[start..].leading_ones();
                x.push(left + start as f64 * size);
                y.push(top + index as f64 * size);
                w.push(run as f64 * size);
                h.push(size);
                fills.push(UP);
                column = start + run;
            }
        }
        scene.add(Primitive::RectBatch { x, y, w, h, fills });
    }
}

fn check_shape(states: &SpinMatrix, (height, width): (usize, usize)) -> Result<()> {
    if states.n_rows() == 0 || states.n_spins() == 0 {
        return Err(Error::shape("states to show", "at least one, of at least one spin", "none"));
    }
    if height.checked_mul(width) != Some(states.n_spins()) {
        let expected = format!("a height and width that make {} spins", states.n_spins());
        return Err(Error::shape("shape of the states to show", expected, format!("{height} x {width}")));
    }
    Ok(())
}

/// All states side by side in characters, two rows of spins a line; +1 is inked.
///
/// # Errors
/// If a state is not height x width spins, or there is none.
pub fn half_blocks(states: &SpinMatrix, shape: (usize, usize)) -> Result<String> {
    check_shape(states, shape)?;
    let (height, width) = shape;
    let mut text = String::new();
    for top in (0..height).step_by(2) {
        for state in 0..states.n_rows() {
            let bits = states.row_bits(state);
            text.push_str(if state == 0 { "" } else { "  " });
            text.extend((0..width).map(|column| {
                let lower = top + 1 < height && bits[(top + 1) * width + column];
                match (bits[top * width + column], lower) {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (false, false) => ' ',
                }
            }));
        }
        text.push('\n');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter_l() -> SpinMatrix {
        // + - -
        // + - -
        // + + +
        SpinMatrix::from_signs(1, 9, &[1, -1, -1, 1, -1, -1, 1, 1, 1]).unwrap()
    }

    /// Colour at a pixel of the PNG.
    fn pixel(png: &[u8], x: usize, y: usize) -> [u8; 3] {
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        let at = (y * info.width as usize + x) * 3;
        pixels[at..at + 3].try_into().unwrap()
    }

    fn rgb(ink: Ink) -> [u8; 3] {
        match ink {
            Ink::Rgb(r, g, b) => [r, g, b],
            _ => unreachable!(),
        }
    }

    #[test]
    fn every_spin_is_a_square_of_its_colour() {
        let states = SpinMatrix::from_words(2, 9, [letter_l().words(), &[0]].concat()).unwrap();
        let montage = Montage::gallery(&states, (3, 3), 2).unwrap();
        let png = montage.png().unwrap();
        let spin = montage.spin_size();
        for state in 0..2 {
            for site in 0..9 {
                let expected = rgb(if states.spin(state, site) == 1 { UP } else { DOWN });
                let left = MARGIN + state as f64 * (3.0 * spin + MARGIN) + (site % 3) as f64 * spin;
                let top = MARGIN + (site / 3) as f64 * spin;
                // Two pixels a unit: first and last pixel of the square.
                for (x, y) in [(left * 2.0, top * 2.0), ((left + spin) * 2.0 - 1.0, (top + spin) * 2.0 - 1.0)]
                {
                    assert_eq!(pixel(&png, x as usize, y as usize), expected, "state {state}, spin {site}");
                }
            }
        }
        assert_eq!(pixel(&png, 0, 0), [255; 3]);
    }

    #[test]
    fn a_shape_that_does_not_make_the_spins_is_refused() {
        let states = letter_l();
        for error in [
            Montage::gallery(&states, (3, 4), 1).unwrap_err(),
            Montage::columns(&[("start", &states)], (2, 4)).unwrap_err(),
            Montage::gallery(&SpinMatrix::all_down(0, 9), (3, 3), 1).unwrap_err(),
            Montage::columns(&[("one", &states), ("two", &SpinMatrix::all_down(2, 9))], (3, 3)).unwrap_err(),
            Montage::columns(&[], (3, 3)).unwrap_err(),
            Montage::gallery(&states, (3, 3), 1).unwrap().with_row_captions(Vec::new()).unwrap_err(),
            half_blocks(&states, (9, 2)).unwrap_err(),
        ] {
            assert!(matches!(error, Error::Shape { .. }), "{error}");
        }
    }

    #[test]
    fn columns_stand_side_by_side() {
        let (start, end) = (letter_l(), SpinMatrix::all_down(1, 9));
        let montage = Montage::columns(&[("start", &start), ("end", &end)], (3, 3)).unwrap();
        assert_eq!(
            montage.states,
            SpinMatrix::from_words(2, 9, [start.words(), end.words()].concat()).unwrap()
        );
        assert_eq!(montage.n_lines(), 1);
    }

    #[test]
    fn half_blocks_pair_rows() {
        assert_eq!(half_blocks(&letter_l(), (3, 3)).unwrap(), "█  \n▀▀▀\n");
        let both = SpinMatrix::from_signs(2, 2, &[1, -1, -1, 1]).unwrap();
        assert_eq!(half_blocks(&both, (2, 1)).unwrap(), "▀  ▄\n");
    }
}
