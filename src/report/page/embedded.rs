//! [`Embedded`]: a picture inside the page.

use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// An SVG or PNG file as a data URI, with its size in CSS pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Embedded {
    uri: String,
    width: u32,
    height: u32,
}

impl Embedded {
    /// An SVG document.
    ///
    /// # Errors
    /// Says what was found in place of an SVG document with a size.
    pub fn svg(content: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(content).map_err(|error| error.to_string())?;
        let document = roxmltree::Document::parse(text).map_err(|error| error.to_string())?;
        let root = document.root_element();
        if root.tag_name().name() != "svg" {
            return Err(format!("an element {}", root.tag_name().name()));
        }
        let size = |name| {
            let value =
                root.attribute(name).and_then(|value| value.trim_end_matches("px").parse::<f64>().ok());
            let value = value.filter(|value| (1.0..1e5).contains(value));
            value.map(|value| value.ceil() as u32).ok_or(format!("no {name} in pixels"))
        };
        Ok(Self { uri: uri("image/svg+xml", content), width: size("width")?, height: size("height")? })
    }

    /// A PNG file.
    ///
    /// # Errors
    /// Says what was found in place of a whole PNG file.
    pub fn png(content: &[u8]) -> Result<Self, String> {
        let mut reader =
            png::Decoder::new(Cursor::new(content)).read_info().map_err(|error| error.to_string())?;
        let (width, height) = reader.info().size();
        while reader.next_row().map_err(|error| error.to_string())?.is_some() {}
        Ok(Self { uri: uri("image/png", content), width, height })
    }

    pub(super) fn uri(&self) -> &str {
        &self.uri
    }

    pub(super) fn width(&self) -> u32 {
        self.width
    }

    pub(super) fn height(&self) -> u32 {
        self.height
    }
}

fn uri(kind: &str, content: &[u8]) -> String {
    format!("data:{kind};base64,{}", STANDARD.encode(content))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::figure::tests::curves;

    #[test]
    fn figures_of_ours_are_embedded_in_both_forms() {
        let (svg, png) = (curves().svg().unwrap(), curves().png().unwrap());
        let embedded = Embedded::svg(svg.as_bytes()).unwrap();
        assert!(svg.contains(&format!("width=\"{}\"", embedded.width)));
        let coded = embedded.uri.strip_prefix("data:image/svg+xml;base64,").unwrap();
        assert_eq!(STANDARD.decode(coded).unwrap(), svg.as_bytes());
        assert!(Embedded::png(&png).unwrap().width >= embedded.width);
        for part in [0.0, 0.001, 0.1, 0.5, 0.9] {
            let cut = |len: usize| (part * len as f64) as usize;
            assert!(Embedded::png(&png[..cut(png.len())]).is_err());
            assert!(Embedded::svg(&svg.as_bytes()[..cut(svg.len())]).is_err());
        }
    }

    #[test]
    fn what_is_no_svg_with_a_size_is_refused() {
        for (content, found) in [
            ("<html/>", "an element html"),
            ("<svg height='3'/>", "no width"),
            ("<svg width='1' height='1e9'/>", "no height"),
            ("<svg", "root node"),
        ] {
            let error = Embedded::svg(content.as_bytes()).unwrap_err();
            assert!(error.contains(found), "{content}: {error}");
        }
    }
}
