//! What is drawn on: text metrics, the two file formats, and files that appear whole or not at all.

use std::ffi::OsString;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use kuva::backend::{raster::RasterBackend, svg::SvgBackend};
use kuva::render::layout::{ComputedLayout, Layout};
use kuva::render::render::{Primitive, Scene, TextAnchor};
use kuva::render::render_utils::wrap_or_single;

use crate::error::{Error, Result};

/// Pixels of a PNG to one unit of a scene.
const PNG_SCALE: u32 = 2;
/// A picture of more pixels would take gigabytes while it is drawn.
const MOST_PIXELS: f64 = 2.5e8;

/// Width of one line of text in scene units, at least two font sizes.
///
/// kuva keeps its font metrics to itself, but makes room for the labels of a category axis: that room is asked for.
pub(super) fn text_width(text: &str, size: u32) -> f64 {
    let layout = Layout::new((0.0, 1.0), (0.0, 1.0)).with_tick_size(size);
    ComputedLayout::from_layout(&layout.with_y_categories(vec![plain(text)])).y_tick_label_px
}

/// The text as it will appear, `$...$` translated.
fn plain(text: &str) -> String {
    if text.contains('$') { kuva::render::math::to_unicode(text) } else { text.to_owned() }
}

/// The text in lines no longer than `length`.
pub(super) fn wrap(text: &str, size: u32, length: f64) -> Vec<String> {
    wrap_or_single(text, wrap_at(text, size, length))
}

/// How many characters fit in a line of that length, if the text does not.
pub(super) fn wrap_at(text: &str, size: u32, length: f64) -> Option<usize> {
    let width = text_width(text, size);
    // Lines differ in how wide their letters are: a tenth is kept in reserve.
    (width > length).then(|| ((text.chars().count() as f64 * 0.9 * length / width) as usize).max(1))
}

/// An empty white page, of whole units so that its picture has no half-covered edge.
pub(super) fn page(width: f64, height: f64) -> Scene {
    Scene {
        font_family: Some("DejaVu Sans, Verdana, Liberation Sans, Arial, sans-serif".to_owned()),
        text_color: Some("black".to_owned()),
        ..Scene::new(width.ceil(), height.ceil())
    }
}

/// A line of text whose baseline starts, ends or is centred at `(x, y)`.
pub(super) fn add_text(scene: &mut Scene, (x, y): (f64, f64), anchor: TextAnchor, size: u32, text: &str) {
    let content = text.to_owned();
    scene.add(Primitive::Text { x, y, content, size, anchor, rotate: None, bold: false, color: None });
}

/// The scene as an SVG document, with a `viewBox` so that pages can scale it.
pub(super) fn svg(scene: &Scene) -> String {
    let head = format!(r#"<svg viewBox="0 0 {} {}" "#, scene.width, scene.height);
    SvgBackend::new().render_scene(scene).replacen("<svg ", &head, 1)
}

/// The scene as a PNG file, text set in the embedded font, every pixel the mean of `oversampling`^2 drawn ones.
///
/// kuva's rasteriser smooths upright text and lines, but neither turned text nor the upper and lower edges of areas:
/// pictures with those are drawn larger and reduced.
pub(super) fn png(scene: &Scene, oversampling: u32) -> Result<Vec<u8>> {
    let scale = PNG_SCALE * oversampling;
    let undrawable = |reason: String| {
        let found = format!("{} x {} ({reason})", scene.width, scene.height);
        Error::shape("picture", "a size that can be drawn", found)
    };
    if scene.width * scene.height * f64::from(scale * scale) > MOST_PIXELS {
        return Err(undrawable("too large".to_owned()));
    }
    let drawn = RasterBackend::new().with_scale(scale as f32).render_scene(scene).map_err(undrawable)?;
    reduce(&drawn, oversampling as usize).map_err(|reason| undrawable(reason.to_string()))
}

/// Decodes a PNG of RGBA pixels and encodes the means of its `factor` x `factor` squares as RGB.
fn reduce(drawn: &[u8], factor: usize) -> std::result::Result<Vec<u8>, Box<dyn std::error::Error>> {
    let mut reader = png::Decoder::new(Cursor::new(drawn)).read_info()?;
    let mut fine = vec![0; reader.output_buffer_size().ok_or("too large")?]; // [height][width][4]
    let info = reader.next_frame(&mut fine)?;
    if (info.color_type, info.bit_depth) != (png::ColorType::Rgba, png::BitDepth::Eight) {
        return Err("unknown pixel format".into());
    }
    let (width, height) = (info.width as usize / factor, info.height as usize / factor);
    let mut pixels = Vec::with_capacity(width * height * 3); // [height][width][3]
    for block in fine.chunks_exact(factor * info.line_size).take(height) {
        for column in 0..width {
            for channel in 0..3 {
                let line = |row: usize| &block[row * info.line_size + column * factor * 4..][..factor * 4];
                let square = (0..factor).flat_map(|row| line(row).iter().skip(channel).step_by(4));
                let sum: usize = square.map(|&value| usize::from(value)).sum();
                pixels.push(((sum + factor * factor / 2) / (factor * factor)) as u8);
            }
        }
    }
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width as u32, height as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header()?.write_image_data(&pixels)?;
    Ok(file)
}

/// `<stem>.<extension>`; unlike `Path::with_extension` it keeps the dot of a stem such as `load0.4`.
pub(super) fn with_suffix(stem: &Path, extension: &str) -> PathBuf {
    let mut name = OsString::from(stem);
    name.push(".");
    name.push(extension);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_as_wide_as_its_glyphs() {
        // DejaVu Sans: an M is 0.863 em wide, an i 0.278 em.
        let (wide, narrow) = (text_width("MMMMMMMMMM", 100), text_width("iiiiiiiiii", 100));
        assert!((wide - 863.0).abs() < 1.0 && (narrow - 278.0).abs() < 1.0, "{wide} {narrow}");
        assert_eq!(text_width(r"$\alpha$ and more", 10), text_width("α and more", 10));
    }

    #[test]
    fn a_stem_keeps_its_dots() {
        assert_eq!(with_suffix(Path::new("out/load0.4"), "svg"), Path::new("out/load0.4.svg"));
    }
}
