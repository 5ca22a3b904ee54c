//! [`Page`]: results as one HTML file that needs no other file and no network.
//!
//! Knows figures and tables as files and text, not what they mean. Figures are data URIs, so that what an SVG calls its parts
//! stays its own and nothing in it runs; every text from outside goes through maud's escaping. Same input, same bytes.

mod chapter;
mod embedded;
mod grid;

use maud::{DOCTYPE, PreEscaped, html};

pub use chapter::{Chapter, Plate};
pub use embedded::Embedded;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
/// Nothing is loaded but what the page holds.
const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
                      base-uri 'none'; form-action 'none'";

/// Chapters under a title, with a table of contents where there are several.
#[derive(Clone, Debug)]
pub struct Page {
    pub title: String,
    pub chapters: Vec<Chapter>,
}

impl Page {
    /// The page as an HTML document.
    pub fn html(&self) -> String {
        let several = self.chapters.len() > 1;
        let chapters = || self.chapters.iter().zip(1..);
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="generator" content=(concat!("attractor ", env!("CARGO_PKG_VERSION")));
                    meta http-equiv="Content-Security-Policy" content=(POLICY);
                    title { (self.title) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    header { h1 { (self.title) } }
                    @if several {
                        nav aria-label="Contents" {
                            h2 { "Contents" }
                            ol {
                                @for (chapter, number) in chapters() {
                                    li { a href={ "#run-" (number) } { (chapter.name) } ": " (chapter.about) }
                                }
                            }
                        }
                    }
                    main {
                        @for (chapter, number) in chapters() { (chapter.markup(number, several)) }
                    }
                    footer {
                        p { "Made by attractor " (env!("CARGO_PKG_VERSION")) ". A click on the head of a column sorts its table." }
                    }
                    script { (PreEscaped(SCRIPT)) }
                }
            }
        }
        .into_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::Table;

    fn page(chapters: usize) -> Page {
        let svg = br#"<svg xmlns="http://www.w3.org/2000/svg" width="300" height="20"><g id="a"/></svg>"#;
        let mut table = Table::new(["<i>", "n"]);
        table.push(vec!["<script>alert(1)</script>".into(), "0.123456789".into()]);
        let plate = Plate {
            name: "figure".into(),
            caption: "m < 1 & \"more\"".into(),
            description: "\"><script>".into(),
            picture: Embedded::svg(svg).unwrap(),
        };
        let chapter = Chapter {
            name: "cut</title>off".into(),
            about: "what it shows".into(),
            plates: vec![plate.clone(), plate],
            summary: "a < b".into(),
            results: Table::new(["name", "value"]),
            tables: vec![("t<x>.csv".into(), table)],
            parameters: "law = \"</pre><script>\"".into(),
            provenance: vec![("command".into(), "attractor reproduce --set 'a=</td>'".into())],
            hashes: Table::new(["file", "BLAKE3"]),
        };
        Page { title: "a </title><script> b".into(), chapters: vec![chapter; chapters] }
    }

    /// What is written as HTML here is XML too, but for the document type, the few empty elements, the one attribute without a value,
    /// and the inline style and script.
    fn as_xml(html: &str) -> String {
        let mut text = html.trim_start_matches("<!DOCTYPE html>").to_owned();
        for element in ["style", "script"] {
            let (open, close) = (format!("<{element}>"), format!("</{element}>"));
            let (from, to) = (text.find(&open).unwrap() + open.len(), text.find(&close).unwrap());
            text.replace_range(from..to, "");
        }
        let mut whole = String::new();
        for part in text.split_inclusive('>') {
            let is_empty = ["<meta", "<img", "<br"].iter().any(|name| part.trim_start().starts_with(name));
            whole += &if is_empty { part.replace('>', "/>") } else { part.to_owned() };
        }
        whole.replace("<details open>", "<details open=\"\">")
    }

    #[test]
    fn texts_are_escaped_elements_are_closed_and_ids_are_unique() {
        let html = page(3).html();
        assert_eq!(html.matches("<script").count(), 1, "only that of the page");
        let xml = as_xml(&html);
        let document = roxmltree::Document::parse(&xml).unwrap();
        let ids: Vec<&str> = document.descendants().filter_map(|node| node.attribute("id")).collect();
        let unique: std::collections::BTreeSet<_> = ids.iter().collect();
        assert!(ids.len() == unique.len() && ids.contains(&"run-3"), "{ids:?}");
        let texts = |name: &str| -> Vec<String> {
            let nodes = document.descendants().filter(|node| node.has_tag_name(name));
            nodes
                .map(|node| {
                    node.descendants().filter(|part| part.is_text()).filter_map(|part| part.text()).collect()
                })
                .collect()
        };
        assert_eq!(texts("title"), ["a </title><script> b"]);
        assert!(texts("td").contains(&"<script>alert(1)</script>".to_owned()));
        assert!(texts("pre").contains(&"law = \"</pre><script>\"".to_owned()));
        let image = document.descendants().find(|node| node.has_tag_name("img")).unwrap();
        assert_eq!(image.attribute("alt"), Some("\"><script>"));
        assert!(image.attribute("src").unwrap().starts_with("data:image/svg+xml;base64,"));
        let links = document.descendants().filter_map(|node| node.attribute("href"));
        assert!(links.filter_map(|link| link.strip_prefix('#')).all(|target| ids.contains(&target)));
    }

    #[test]
    fn nothing_is_loaded_from_elsewhere() {
        let html = page(1).html();
        let sources = html.split("src=\"").skip(1).chain(html.split("href=\"").skip(1));
        assert!(sources.into_iter().all(|source| source.starts_with("data:") || source.starts_with('#')));
        assert!(!html.contains("url(") && !html.contains("@import") && !html.contains("fetch("));
        assert!(!html.contains("<nav"), "one chapter needs no table of contents");
    }
}
