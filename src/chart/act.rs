//! Charts that come to life: what a film shows of each.

use super::page::{Body, Draft};
use crate::Result;
use crate::bench::results::Results;
use crate::draw::Theme;

/// Seconds that a chart takes to grow.
const GROWS_S: f64 = 1.6;

/// A chart that grows, or a race that is run.
pub struct Act {
    draft: Draft,
    theme: Theme,
}

/// The pictures of [`super::charts`], to be drawn at any time of their growth.
pub fn acts(results: &Results, theme: &Theme) -> Vec<Act> {
    let drafts = super::drafts(results, theme).into_iter();
    drafts.map(|draft| Act::new(draft, *theme)).collect()
}

impl Act {
    fn new(mut draft: Draft, theme: Theme) -> Self {
        if let Body::Race(race) = &draft.body {
            let multiple = race.multiple();
            // When the last job was done is seen.
            if let Some(verdict) = &race.verdict {
                draft.caption.clone_from(verdict);
            }
            draft.subtitle += &format!(" · shown at {multiple} × real time");
        }
        Self { draft, theme }
    }

    /// What is shown.
    pub fn title(&self) -> &str {
        &self.draft.title
    }

    /// What was found.
    pub fn caption(&self) -> &str {
        &self.draft.caption
    }

    /// Seconds until all of it is there.
    pub fn grows_s(&self) -> f64 {
        match &self.draft.body {
            Body::Panels(_) => GROWS_S,
            Body::Race(race) => race.end_s() / race.multiple(),
        }
    }

    /// The picture so many seconds after its beginning: a document of [`super::PLATE`] pixels.
    ///
    /// # Errors
    /// When it cannot be drawn.
    pub fn plate(&self, seconds: f64) -> Result<String> {
        let share = (seconds / self.grows_s()).clamp(0.0, 1.0);
        let grown = match &self.draft.body {
            // Slow, fast, slow.
            Body::Panels(_) => share * share * (3.0 - 2.0 * share),
            Body::Race(_) => share,
        };
        self.draft.plate(&self.theme, grown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::fixture;
    use crate::chart::charts;
    use crate::draw::raster;

    fn acts_of_two_cores() -> Vec<Act> {
        acts(&fixture::two_cores(), &Theme::DARK)
    }

    #[test]
    fn a_chart_that_has_grown_is_the_chart() {
        let still = charts(&fixture::two_cores(), &Theme::DARK).unwrap();
        let acts = acts_of_two_cores();
        assert_eq!(still.len(), acts.len());
        for (chart, act) in still.iter().zip(&acts) {
            let grown = act.plate(act.grows_s()).unwrap();
            assert_eq!(chart.title, act.title());
            // A race says how fast it is shown, besides.
            if chart.name != "race" {
                assert_eq!(grown, chart.plate, "{}", chart.name);
            }
        }
    }

    #[test]
    fn what_has_been_drawn_stays_and_more_comes() {
        for act in acts_of_two_cores() {
            let marks = |share: f64| {
                let svg = act.plate(act.grows_s() * share).unwrap();
                let raster = raster::render(&svg, 872, 425).unwrap();
                let ground = Theme::DARK.background.opaque();
                let pixels = raster.rgba.chunks_exact(4);
                pixels.filter(|pixel| **pixel != ground).count()
            };
            let seen: Vec<usize> = [0.0, 0.3, 0.6, 0.9].map(marks).to_vec();
            assert!(seen.is_sorted_by(|a, b| a < b), "{}: {seen:?}", act.title());
        }
    }

    #[test]
    fn a_race_is_shown_at_a_round_multiple_of_real_time_that_is_told() {
        let mut results = fixture::two_cores();
        for factor in [1.0, 37.0, 1000.0, 0.001] {
            for sample in &mut results.samples {
                for lane in &mut sample.lanes {
                    lane.start_s *= factor;
                    lane.end_s *= factor;
                }
            }
            let acts = acts(&results, &Theme::DARK);
            let race = acts
                .iter()
                .find(|act| matches!(act.draft.body, Body::Race(_)));
            let race = race.unwrap();
            let took = race.grows_s();
            assert!((4.0..10.01).contains(&took), "{took}");
            let told = race.plate(0.0).unwrap();
            assert!(told.contains("× real time"), "{told}");
            let end = race.plate(took).unwrap();
            assert!(!told.contains("last job done") && end.contains("last job done"));
        }
    }
}
