//! Tables and figure of all points, beside what was published.

use super::measure::{Point, Size, Stage};
use super::{BasinSizeConfig, VARIANTS};
use crate::analysis::mean::Mean;
use crate::error::Result;
use crate::experiments::published::{Difference, PublishedPoint, SOURCE, published};
use crate::experiments::samples::of_samples;
use crate::report::{Axis, Color, Figure, Panel, Series, Style};
use crate::storage::Table;

const SIZES: &[u8] = include_bytes!("../../../data/reference/basin_size.csv");
const ASYMMETRIES: &[u8] = include_bytes!("../../../data/reference/asymmetry.csv");
/// Loads are the same if they differ by less.
const SAME_LOAD: f64 = 1e-6;

/// Which couplings, dynamics and edge.
#[derive(Clone, Copy, PartialEq)]
struct Setting {
    epoch: u64,
    steps: Option<u64>,
    threshold: f64,
}

/// How far a setting is from the published sizes.
struct Distance {
    setting: Setting,
    variant: &'static str,
    difference: Difference,
}

pub(super) struct Results<'a> {
    config: &'a BasinSizeConfig,
    points: &'a [Point],
    published_sizes: Vec<PublishedPoint>,
    published_asymmetries: Vec<PublishedPoint>,
}

fn of(all: &[PublishedPoint], curve: &str, load: f64) -> Option<f64> {
    all.iter().find(|(name, x, _)| name == curve && (x - load).abs() < SAME_LOAD).map(|point| point.2)
}

/// The published curve of a variant, if there is one.
fn curve_of(variant: &str) -> Option<&'static str> {
    match variant {
        "asymmetric" => Some("asymmetric"),
        "symmetrized" => Some("symmetric"),
        _ => None,
    }
}

fn steps_name(steps: Option<u64>) -> String {
    steps.map_or("convergence".to_owned(), |steps| steps.to_string())
}

impl<'a> Results<'a> {
    pub(super) fn new(config: &'a BasinSizeConfig, points: &'a [Point]) -> Result<Self> {
        Ok(Self {
            config,
            points,
            published_sizes: published("data/reference/basin_size.csv", SIZES)?,
            published_asymmetries: published("data/reference/asymmetry.csv", ASYMMETRIES)?,
        })
    }

    fn published_size(&self, variant: &str, load: f64) -> Option<f64> {
        of(&self.published_sizes, curve_of(variant)?, load)
    }

    fn time(&self, epoch: u64) -> f64 {
        self.config.lr * epoch as f64
    }

    fn settings_of(&self, epoch: u64) -> impl Iterator<Item = Setting> + '_ {
        let steps = self.config.steps.iter().copied().map(Some).chain([None]);
        steps.flat_map(move |steps| {
            self.config.thresholds.iter().map(move |&threshold| Setting { epoch, steps, threshold })
        })
    }

    /// The setting of the figure: the first number of steps and threshold.
    fn figure_setting(&self, epoch: u64) -> Setting {
        let steps = self.config.steps.first().copied();
        Setting { epoch, steps, threshold: self.config.thresholds[0] }
    }

    fn all_settings(&self) -> impl Iterator<Item = Setting> + '_ {
        self.config.epochs.iter().flat_map(|&epoch| self.settings_of(epoch))
    }

    fn stages(&self, load: f64, epoch: u64) -> impl Iterator<Item = &Stage> {
        let points = self.points.iter().filter(move |point| point.load == load);
        points.flat_map(|point| &point.stages).filter(move |stage| stage.epoch == epoch)
    }

    fn mean_of(&self, load: f64, epoch: u64, value: fn(&Stage) -> f64) -> Mean {
        Mean::of(&self.stages(load, epoch).map(value).collect::<Vec<_>>())
    }

    /// Mean over samples; of a single sample the error is that by bootstrap.
    fn size(&self, load: f64, variant: &str, setting: Setting) -> Mean {
        let is_it = |size: &&Size| {
            size.variant == variant && size.steps == setting.steps && size.threshold == setting.threshold
        };
        let sizes: Vec<&Size> =
            self.stages(load, setting.epoch).flat_map(|stage| stage.sizes.iter().filter(is_it)).collect();
        let mean = Mean::of(&sizes.iter().map(|size| size.size).collect::<Vec<_>>());
        match sizes[..] {
            [only] => Mean { error: only.error, ..mean },
            _ => mean,
        }
    }

    /// A row a load, variant and setting.
    pub(super) fn table(&self) -> Table {
        let columns = [
            "load",
            "variant",
            "epochs",
            "time",
            "lambda_eff",
            "asymmetry",
            "steps",
            "threshold",
            "basin_size",
            "basin_size_error",
            "published",
            "difference",
        ];
        let mut table = Table::new(columns);
        for &load in &self.config.loads {
            for setting in self.all_settings() {
                for variant in VARIANTS {
                    let size = self.size(load, variant, setting);
                    let theirs = self.published_size(variant, load);
                    let text = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
                    table.push(vec![
                        load.to_string(),
                        variant.to_owned(),
                        setting.epoch.to_string(),
                        self.time(setting.epoch).to_string(),
                        self.mean_of(load, setting.epoch, |stage| stage.lambda_eff).value.to_string(),
                        self.mean_of(load, setting.epoch, |stage| stage.asymmetry).value.to_string(),
                        steps_name(setting.steps),
                        setting.threshold.to_string(),
                        size.value.to_string(),
                        size.error.to_string(),
                        text(theirs),
                        text(theirs.map(|theirs| size.value - theirs)),
                    ]);
                }
            }
        }
        table
    }

    /// All settings of a variant, the nearest to the published sizes first.
    fn distances(&self, variant: &'static str) -> Vec<Distance> {
        let distance = |setting: Setting| {
            let pair = |&load: &f64| {
                Some((self.size(load, variant, setting).value, self.published_size(variant, load)?))
            };
            let difference = Difference::of(self.config.loads.iter().filter_map(pair))?;
            Some(Distance { setting, variant, difference })
        };
        let mut distances: Vec<Distance> = self.all_settings().filter_map(distance).collect();
        distances.sort_by(|a, b| a.difference.root_mean_square.total_cmp(&b.difference.root_mean_square));
        distances
    }

    /// How far each setting is from the published sizes.
    pub(super) fn settings(&self) -> Table {
        let columns = [
            "variant",
            "epochs",
            "time",
            "steps",
            "threshold",
            "loads",
            "rms_difference",
            "mean_difference",
            "largest_difference",
        ];
        let mut table = Table::new(columns);
        for Distance { setting, variant, difference } in
            VARIANTS.into_iter().flat_map(|variant| self.distances(variant))
        {
            table.push(vec![
                variant.to_owned(),
                setting.epoch.to_string(),
                self.time(setting.epoch).to_string(),
                steps_name(setting.steps),
                setting.threshold.to_string(),
                difference.n_points.to_string(),
                difference.root_mean_square.to_string(),
                difference.mean.to_string(),
                difference.largest.to_string(),
            ]);
        }
        table
    }

    /// A row a load and training time.
    pub(super) fn asymmetries(&self) -> Table {
        let mut table =
            Table::new(["load", "epochs", "time", "lambda_eff", "asymmetry", "asymmetry_error", "published"]);
        for &load in &self.config.loads {
            for &epoch in &self.config.epochs {
                let asymmetry = self.mean_of(load, epoch, |stage| stage.asymmetry);
                table.push(vec![
                    load.to_string(),
                    epoch.to_string(),
                    self.time(epoch).to_string(),
                    self.mean_of(load, epoch, |stage| stage.lambda_eff).value.to_string(),
                    asymmetry.value.to_string(),
                    asymmetry.error.to_string(),
                    of(&self.published_asymmetries, "asymmetric", load)
                        .map_or(String::new(), |y| y.to_string()),
                ]);
            }
        }
        table
    }

    /// Basin sizes of both variants at the first number of steps and threshold, and the asymmetry.
    pub(super) fn figure(&self) -> Figure {
        let load_axis = || Axis::linear("load P / N");
        let name_of = |epoch: u64| format!("lr′ t = {}", self.time(epoch));
        let open = |name: &str, points: &[PublishedPoint], curve: &str| {
            let points =
                points.iter().filter(|point| point.0 == curve).map(|point| (point.1, point.2)).collect();
            Series::new(name, Style::OpenMarkers, Color::Black, points)
        };
        let mut panels = Vec::new();
        for variant in VARIANTS {
            let steps = self.config.steps.first();
            let steps = steps.map_or("at convergence".to_owned(), |steps| format!("{steps} steps"));
            let title = format!("{variant}, {steps}, threshold {}", self.config.thresholds[0]);
            let mut panel = Panel::new(title, load_axis(), Axis::linear("basin size 1 − m_c"));
            for (index, &epoch) in self.config.epochs.iter().enumerate() {
                let setting = self.figure_setting(epoch);
                let means = self.config.loads.iter().map(|&load| (load, self.size(load, variant, setting)));
                let (points, bars) = means.map(|(x, mean)| ((x, mean.value), mean.bar(x))).unzip();
                let series = Series::new(name_of(epoch), Style::LineAndMarkers, Color::nth(index), points);
                panel = panel.with(series.with_error_bars(bars));
            }
            panels.push(match curve_of(variant) {
                Some(curve) => {
                    panel.with(open(&format!("published, {SOURCE}"), &self.published_sizes, curve))
                }
                // None, but a legend for all panels.
                None => panel.with(open(&format!("published, {SOURCE}"), &[], "")),
            });
        }
        let mut panel = Panel::new("asymmetric", load_axis(), Axis::linear("asymmetry |J − Jᵀ| / |J|"));
        for (index, &epoch) in self.config.epochs.iter().enumerate() {
            let means = self
                .config
                .loads
                .iter()
                .map(|&load| (load, self.mean_of(load, epoch, |stage| stage.asymmetry)));
            let points = means.map(|(x, mean)| (x, mean.value)).collect();
            panel = panel.with(Series::new(name_of(epoch), Style::LineAndMarkers, Color::nth(index), points));
        }
        panels.push(panel.with(open(
            &format!("published, {SOURCE}"),
            &self.published_asymmetries,
            "asymmetric",
        )));
        let (load, epoch) = (self.config.loads.last(), self.config.epochs.last());
        let end = load.zip(epoch).map_or(String::new(), |(&load, &epoch)| {
            let [asymmetric, symmetrized, symmetric] =
                VARIANTS.map(|variant| self.size(load, variant, self.figure_setting(epoch)).value);
            let asymmetry = self.mean_of(load, epoch, |stage| stage.asymmetry).value;
            let time = self.time(epoch);
            format!(
                ": at load {load} and lr′ t = {time} sizes are {asymmetric:.3}, {symmetrized:.3} and {symmetric:.3}, the asymmetry {asymmetry:.3}"
            )
        });
        Figure::new(panels).with_caption(format!(
            "Basin size of asymmetric couplings, of those made symmetric after and of those symmetric in training, and the asymmetry (last), \
             against load at several training times, open markers published{end}{}.",
            of_samples(self.config.n_samples)
        ))
    }

    /// The setting nearest to the published sizes; for a variant that was not published, that of the symmetrised one.
    fn nearest(&self, variant: &'static str) -> Setting {
        let nearest = |variant| self.distances(variant).first().map(|distance| distance.setting);
        let last_epoch = self.config.epochs.last().copied().unwrap_or(0);
        nearest(variant).or_else(|| nearest("symmetrized")).unwrap_or_else(|| self.figure_setting(last_epoch))
    }

    pub(super) fn named(&self) -> Vec<(String, f64)> {
        let mut named = Vec::new();
        for variant in VARIANTS {
            if let Some(best) = self.distances(variant).first() {
                named.push((format!("largest_difference_{variant}"), best.difference.largest));
                named.push((format!("mean_difference_{variant}"), best.difference.mean));
            }
            let setting = self.nearest(variant);
            for &load in &self.config.loads {
                let size = self.size(load, variant, setting).value;
                named.push((format!("basin_size_{variant}_at_load_{load}"), size));
            }
        }
        named
    }

    /// How far the curves of the figure, which has a setting of its own, are from the published sizes.
    fn figure_distances(&self, distances: &[Distance]) -> String {
        let of_epoch = |&epoch: &u64| {
            let setting = self.figure_setting(epoch);
            let distance = distances.iter().find(|distance| distance.setting == setting)?;
            let Difference { largest, mean, .. } = distance.difference;
            Some(format!("{largest:.3} ({mean:.3}) at lr' t = {}", self.time(epoch)))
        };
        let all: Vec<String> = self.config.epochs.iter().filter_map(of_epoch).collect();
        let steps = steps_name(self.config.steps.first().copied());
        format!(
            "in the figure: steps {steps}, threshold {}: at most (in the mean) {}\n",
            self.config.thresholds[0],
            all.join(", ")
        )
    }

    pub(super) fn summary(&self) -> String {
        let config = self.config;
        let mut text = format!(
            "Random patterns, N = {}, {} samples; pseudo-likelihood, lambda' = {}, lr' = {}, from Hebb\n\n",
            config.n_spins, config.n_samples, config.lambda, config.lr
        );
        text += "asymmetry by training time lr' t, and lambda_eff\n    load";
        config.epochs.iter().for_each(|&epoch| text += &format!("  {:>15}", self.time(epoch)));
        text += "  published\n";
        for &load in &config.loads {
            text += &format!("{load:8}");
            for &epoch in &config.epochs {
                let asymmetry = self.mean_of(load, epoch, |stage| stage.asymmetry).value;
                let lambda_eff = self.mean_of(load, epoch, |stage| stage.lambda_eff).value;
                text += &format!("  {:>15}", format!("{asymmetry:.4} ({lambda_eff:.2})"));
            }
            let theirs = of(&self.published_asymmetries, "asymmetric", load);
            text += &theirs.map_or("          -\n".to_owned(), |theirs| format!("  {theirs:9.4}\n"));
        }
        for variant in VARIANTS {
            let distances = self.distances(variant);
            let setting = self.nearest(variant);
            let place = format!(
                "lr' t = {}, steps {}, threshold {}",
                self.time(setting.epoch),
                steps_name(setting.steps),
                setting.threshold
            );
            text += &match distances.first() {
                Some(best) => format!("\n{variant}: at {place}, the nearest, {}\n", best.difference),
                None => format!("\n{variant}, not published: at {place}\n"),
            };
            text += "    load  basin size             published\n";
            for &load in &config.loads {
                let size = self.size(load, variant, setting);
                let theirs = self.published_size(variant, load);
                let theirs = theirs.map_or("-".to_owned(), |theirs| format!("{theirs:.4}"));
                text += &format!("{load:8}  {:.4} +- {:.4}  {theirs:>12}\n", size.value, size.error);
            }
            if !distances.is_empty() {
                text += &self.figure_distances(&distances);
            }
        }
        text
    }
}
