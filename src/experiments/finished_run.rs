//! Runs that are finished, read back from their folders to be shown together on one page.

use std::path::{Path, PathBuf};

use super::Experiment;
use super::manifest::{CONFIG, FigureNote, Manifest};
use crate::error::{Error, Result};
use crate::report::{Chapter, Embedded, Page, Plate};
use crate::storage::Table;

/// A page of the runs in these folders, in this order.
///
/// # Errors
/// If a folder holds no finished run, or a file is missing, no longer what its run wrote, or cannot be read.
pub fn report_of(folders: &[PathBuf], title: Option<&str>) -> Result<Page> {
    let chapters = folders.iter().map(|folder| FinishedRun::open(folder)?.chapter());
    let mut chapters = chapters.collect::<Result<Vec<_>>>()?;
    let title = title.map_or_else(
        || {
            let mut names: Vec<&str> = chapters.iter().map(|chapter| chapter.name.as_str()).collect();
            names.dedup();
            format!("attractor: {}", names.join(", "))
        },
        str::to_owned,
    );
    // Runs of one experiment are told apart by their folders.
    let names: Vec<String> = chapters.iter().map(|chapter| chapter.name.clone()).collect();
    for (chapter, folder) in chapters.iter_mut().zip(folders) {
        if names.iter().filter(|name| **name == chapter.name).count() > 1 {
            chapter.name = format!("{}: {}", chapter.name, folder.display());
        }
    }
    Ok(Page { title, chapters })
}

struct FinishedRun<'a> {
    folder: &'a Path,
    manifest: Manifest,
}

impl<'a> FinishedRun<'a> {
    fn open(folder: &'a Path) -> Result<Self> {
        Ok(Self { folder, manifest: Manifest::read(folder)? })
    }

    fn chapter(self) -> Result<Chapter> {
        let about = Experiment::named(&self.manifest.experiment).map_or("", |experiment| experiment.about);
        let plates = self.figures(about)?.iter().map(|note| self.plate(note)).collect::<Result<Vec<_>>>()?;
        let tables = self.manifest.tables_and_figures().filter(|name| name.ends_with(".csv"));
        let tables = tables.map(|name| {
            self.content(name)?;
            Ok((name.to_owned(), Table::read(&self.folder.join(name))?))
        });
        let tables = tables.collect::<Result<Vec<_>>>()?;
        let path = self.folder.join(CONFIG);
        let parameters = String::from_utf8(self.content(CONFIG)?)
            .map_err(|error| Error::format(&path, "parameters in TOML", error.to_string()))?;
        let parsed: toml::Table = parameters
            .parse()
            .map_err(|error: toml::de::Error| Error::format(&path, "parameters in TOML", error.message()))?;
        Ok(Chapter {
            name: self.manifest.experiment.clone(),
            about: about.to_owned(),
            plates,
            summary: self.manifest.summary.clone(),
            results: self.results(),
            tables,
            parameters,
            provenance: self.provenance(&parsed),
            hashes: self.hashes(),
        })
    }

    /// A file, which must be what the run wrote.
    fn content(&self, name: &str) -> Result<Vec<u8>> {
        let path = self.folder.join(name);
        // Names come from a file: what they lead to outside is nobody's to show.
        let is_beside = Path::new(name).file_name().is_some_and(|file| file == name);
        let Some(hash) = self.manifest.files.get(name).filter(|_| is_beside) else {
            let expected = "a file of the folder, named in its manifest";
            return Err(Error::format(&path, expected, "none of that name"));
        };
        let content = std::fs::read(&path).map_err(Error::io(&path, "read"))?;
        let found = blake3::hash(&content).to_hex();
        if found.as_str() != hash {
            let expected = format!("what the run wrote, with the BLAKE3 of its manifest, {hash}");
            return Err(Error::format(&path, expected, format!("{found}: it was changed or cut short")));
        }
        Ok(content)
    }

    /// The figures as the run noted them; of a run of an earlier version those that its folder holds.
    fn figures(&self, about: &str) -> Result<Vec<FigureNote>> {
        let mut figures = self.manifest.figures.clone();
        if figures.is_empty() {
            let stems = self.manifest.tables_and_figures().filter_map(|name| name.strip_suffix(".png"));
            figures.extend(stems.map(|stem| FigureNote {
                name: stem.to_owned(),
                caption: about.to_owned(),
                description: format!("figure {stem} of {}", self.manifest.experiment),
            }));
        }
        if figures.is_empty() {
            return Err(Error::format(self.folder, "a run with a figure", "a manifest that names none"));
        }
        Ok(figures)
    }

    /// The figure as an SVG, or where the run wrote none as a PNG.
    fn plate(&self, note: &FigureNote) -> Result<Plate> {
        let svg = format!("{}.svg", note.name);
        let (name, read): (_, fn(&[u8]) -> _) = match self.manifest.files.contains_key(&svg) {
            true => (svg, Embedded::svg),
            false => (format!("{}.png", note.name), Embedded::png),
        };
        let picture = read(&self.content(&name)?)
            .map_err(|found| Error::format(&self.folder.join(&name), "a picture", found))?;
        let FigureNote { name, caption, description } = note.clone();
        Ok(Plate { name, caption, description, picture })
    }

    /// Key figures, with their standard errors where there are any.
    fn results(&self) -> Table {
        const ERROR: &str = "_error";
        let results = &self.manifest.results;
        let error_of = |name: &str| results.get(&format!("{name}{ERROR}"));
        let with_errors = results.keys().any(|name| error_of(name).is_some());
        let columns = ["name", "value"].into_iter().chain(with_errors.then_some("standard error"));
        let mut table = Table::new(columns);
        for (name, value) in results {
            if name.strip_suffix(ERROR).is_some_and(|of| results.contains_key(of)) {
                continue;
            }
            let error = error_of(name).map_or(String::new(), f64::to_string);
            table.push(
                [name.clone(), value.to_string()].into_iter().chain(with_errors.then_some(error)).collect(),
            );
        }
        table
    }

    /// Names and values; what an earlier version did not write is left out.
    fn provenance(&self, parameters: &toml::Table) -> Vec<(String, String)> {
        let Manifest { program, command, finished, seconds, machine, instruction_set, threads, .. } =
            &self.manifest;
        let folder = self.folder.canonicalize().unwrap_or_default();
        let folder = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let entries = [
            ("program", program.clone()),
            ("command", command.clone()),
            ("seed", parameters.get("seed").map_or(String::new(), toml::Value::to_string)),
            ("finished", finished.clone()),
            ("took", format!("{seconds:.1} s")),
            ("machine", machine.clone()),
            ("instruction set", instruction_set.clone()),
            ("threads", if *threads == 0 { String::new() } else { threads.to_string() }),
            ("folder", folder),
        ];
        let entries = entries.into_iter().filter(|(_, value)| !value.is_empty());
        let inputs = self.manifest.inputs.iter().map(|(name, hash)| (format!("input {name}"), hash.clone()));
        entries.map(|(name, value)| (name.to_owned(), value)).chain(inputs).collect()
    }

    fn hashes(&self) -> Table {
        let mut table = Table::new(["file", "BLAKE3"]);
        for (name, hash) in &self.manifest.files {
            table.push(vec![name.clone(), hash.clone()]);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::Execution;
    use crate::experiments::run_directory::RunDirectory;
    use crate::experiments::{Options, basins};
    use crate::report::{Axis, Color, Figure, Panel, Series, Style};
    use crate::storage::Overwrite;
    use std::fs::{read_to_string, remove_file, write};

    /// A finished run with a figure and a table that holds `cell`.
    fn run(folder: &Path, cell: &str) {
        let options = Options { command: "attractor <b>".into(), ..Options::new(folder, Overwrite::Refuse) };
        let config: toml::Table = toml::from_str("law = '</pre>'\nseed = 12345").unwrap();
        let mut directory = RunDirectory::new("basins", &options, &config, &[], basins::KEPT).unwrap();
        let mut table = Table::new(["load", "what"]);
        table.push(vec!["0.5".into(), cell.into()]);
        directory.table("table.csv", &table).unwrap();
        let series = Series::new("train", Style::Line, Color::TRAIN, vec![(0.0, 1.0), (1.0, 2.0)]);
        let panel = Panel::new("overlaps", Axis::linear("load"), Axis::linear("overlap")).with(series);
        directory.figure("figure", &Figure::new(vec![panel]).with_caption("It is 0.25 & <more>.")).unwrap();
        for (name, value) in
            [("overlap", 0.25), ("overlap_error", 0.125), ("rate_error", 3.0), ("void", f64::NAN)]
        {
            directory.result(name, value);
        }
        directory.finish("a < b".into(), &Execution::with_threads(1).unwrap()).unwrap();
    }

    fn page(folders: &[PathBuf]) -> String {
        report_of(folders, None).unwrap().html()
    }

    #[test]
    fn a_page_has_what_runs_wrote() {
        let folder = tempfile::tempdir().unwrap();
        let folders = ["one", "two"].map(|name| folder.path().join(name));
        folders.iter().for_each(|folder| run(folder, "<script>alert(1)</script>"));
        let html = page(&folders);
        for text in [
            "<h1>attractor: basins</h1>",
            "href=\"#run-2\"",
            "/one</h2>",
            "/two</h2>",
            "It is 0.25 &amp; &lt;more&gt;.",
            "alt=\"overlaps: overlap against load (train)\"",
            "&lt;script&gt;alert(1)",
            "law = &quot;&lt;/pre&gt;&quot;",
            "attractor &lt;b&gt;",
            "<th scope=\"row\">seed</th><td>12345</td>",
            "<td>overlap</td><td class=\"n\">0.25</td><td class=\"n\">0.125</td>",
            "<td>rate_error</td><td class=\"n\">3</td><td class=\"n\"></td>",
            "<td>void</td><td class=\"n\">NaN</td>",
            "a &lt; b",
            &Manifest::read(&folders[0]).unwrap().files["table.csv"],
        ] {
            assert!(html.contains(text), "{text}");
        }
        assert_eq!(html, page(&folders), "the same folders give the same bytes");
        assert!(report_of(&folders, Some("Mine")).unwrap().html().contains("<title>Mine</title>"));
    }

    /// Manifests of version 0.1.0 as they were first: without figures, machine and summary.
    #[test]
    fn manifests_of_earlier_versions_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("run");
        run(&folder, "1");
        let path = folder.join("manifest.json");
        let mut manifest: serde_json::Value = serde_json::from_str(&read_to_string(&path).unwrap()).unwrap();
        for entry in ["figures", "finished", "machine", "instruction_set", "threads", "summary"] {
            assert!(manifest.as_object_mut().unwrap().remove(entry).is_some(), "{entry}");
        }
        write(&path, manifest.to_string()).unwrap();
        let html = page(&[folder]);
        assert!(html.contains("basins of attraction of pseudo-likelihood") && html.contains("<img"));
        assert!(!html.contains("instruction set"));
    }

    #[test]
    fn what_is_no_finished_run_is_refused_by_the_name_of_the_file() {
        type Spoil = fn(&Path);
        fn halve(folder: &Path, name: &str) {
            let text = read_to_string(folder.join(name)).unwrap();
            write(folder.join(name), &text[..text.len() / 2]).unwrap();
        }
        /// Changes a file and says in the manifest that it was so.
        fn forge(folder: &Path, name: &str, content: &str) {
            let mut manifest = Manifest::read(folder).unwrap();
            manifest.files.insert(name.into(), blake3::hash(content.as_bytes()).to_string());
            write(folder.join(name), content).unwrap();
            write(folder.join("manifest.json"), serde_json::to_string(&manifest).unwrap()).unwrap();
        }
        let cases: [(Spoil, &str, &str); 14] = [
            (|folder| std::fs::remove_dir_all(folder).unwrap(), "run", "no such folder"),
            (
                |folder| {
                    std::fs::remove_dir_all(folder).unwrap();
                    std::fs::create_dir(folder).unwrap();
                },
                "manifest.json",
                "found no run",
            ),
            (|folder| remove_file(folder.join("manifest.json")).unwrap(), "manifest.json", "not finished"),
            (|folder| halve(folder, "manifest.json"), "manifest.json", "EOF"),
            (|folder| write(folder.join("manifest.json"), "[]").unwrap(), "manifest.json", "invalid"),
            (|folder| halve(folder, "table.csv"), "table.csv", "changed or cut short"),
            (|folder| remove_file(folder.join("table.csv")).unwrap(), "table.csv", "cannot read"),
            (|folder| remove_file(folder.join("figure.svg")).unwrap(), "figure.svg", "cannot read"),
            (|folder| halve(folder, "config.toml"), "config.toml", "changed or cut short"),
            (|folder| forge(folder, "config.toml", "a = "), "config.toml", "parameters in TOML"),
            (|folder| forge(folder, "table.csv", "a,b\n1\n"), "table.csv", "CSV table"),
            (|folder| forge(folder, "figure.svg", "<svg"), "figure.svg", "a picture"),
            (
                |folder| forge(folder, "figure.svg", "<!DOCTYPE svg [<!ENTITY a 'b'>]><svg/>"),
                "figure.svg",
                "a picture",
            ),
            (
                |folder| {
                    let mut manifest = Manifest::read(folder).unwrap();
                    manifest.figures.clear();
                    manifest.files.retain(|name, _| !name.starts_with("figure"));
                    write(folder.join("manifest.json"), serde_json::to_string(&manifest).unwrap()).unwrap();
                },
                "run",
                "with a figure",
            ),
        ];
        for (spoil, file, found) in cases {
            let parent = tempfile::tempdir().unwrap();
            let folder = parent.path().join("run");
            run(&folder, "1");
            spoil(&folder);
            let error = report_of(&[folder], None).unwrap_err().to_string();
            assert!(
                error.contains(&format!("{file}: ")) && error.contains(found),
                "{file}, {found}: {error}"
            );
        }
    }
}
