//! Labels that stay apart.

/// Moves the middles of labels apart until each two are `gap` pixels from each
/// other and all are within `range`, as near as can be to where they were wanted.
///
/// The order of the labels is kept. Where they do not fit, they share the range evenly.
pub fn spread(wanted: &[f64], gap: f64, range: (f64, f64)) -> Vec<f64> {
    let (low, high) = (range.0, range.1.max(range.0));
    let fits = wanted.len().saturating_sub(1) as f64;
    let gap = if fits > 0.0 {
        gap.min((high - low) / fits)
    } else {
        gap
    };
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|a, b| wanted[*a].total_cmp(&wanted[*b]));

    let mut groups: Vec<Group> = Vec::new();
    for index in &order {
        let mut group = Group::of(wanted[*index], (low, high));
        while let Some(above) = groups.last() {
            if above.last(gap) + gap <= group.first {
                break;
            }
            let above = groups.pop().unwrap_or_else(|| group.clone());
            group = above.joined(group, gap, (low, high));
        }
        groups.push(group);
    }

    let places = groups.iter().flat_map(|group| group.places(gap));
    let mut spread = vec![0.0; wanted.len()];
    for (index, place) in order.into_iter().zip(places) {
        spread[index] = place;
    }
    spread
}

/// Labels that touch, one `gap` after the other.
#[derive(Debug, Clone)]
struct Group {
    first: f64,
    wanted: Vec<f64>,
}

impl Group {
    fn of(wanted: f64, range: (f64, f64)) -> Self {
        Self {
            first: wanted.clamp(range.0, range.1),
            wanted: vec![wanted],
        }
    }

    fn last(&self, gap: f64) -> f64 {
        self.first + gap * (self.wanted.len() - 1) as f64
    }

    fn places(&self, gap: f64) -> impl Iterator<Item = f64> + '_ {
        (0..self.wanted.len()).map(move |i| self.first + gap * i as f64)
    }

    /// Both groups as one, centred on where its labels were wanted.
    fn joined(mut self, below: Group, gap: f64, range: (f64, f64)) -> Group {
        self.wanted.extend(below.wanted);
        let count = self.wanted.len() as f64;
        let middle = self.wanted.iter().sum::<f64>() / count;
        let height = gap * (count - 1.0);
        self.first = (middle - height / 2.0).clamp(range.0, (range.1 - height).max(range.0));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn labels_of_coinciding_lines_do_not_overlap() {
        assert_eq!(spread(&[100.0, 100.0], 40.0, (0.0, 500.0)), [80.0, 120.0]);
        assert_eq!(
            spread(&[101.0, 100.0, 300.0], 40.0, (0.0, 500.0)),
            [120.5, 80.5, 300.0]
        );
    }

    #[test]
    fn labels_that_are_apart_stay_where_they_are() {
        assert_eq!(spread(&[10.0, 90.0], 40.0, (0.0, 500.0)), [10.0, 90.0]);
        assert!(spread(&[], 40.0, (0.0, 500.0)).is_empty());
    }

    proptest! {
        #[test]
        fn labels_stay_inside_and_apart(wanted in prop::collection::vec(-50.0..600.0f64, 0..8)) {
            let mut places = spread(&wanted, 40.0, (0.0, 500.0));
            places.sort_by(f64::total_cmp);
            prop_assert!(places.iter().all(|place| (-1e-6..=500.0 + 1e-6).contains(place)));
            prop_assert!(places.windows(2).all(|pair| pair[1] - pair[0] > 40.0 - 1e-6));
        }
    }
}
