//! The ratio of times that were taken in two runs, which have no rounds in common.

use statrs::distribution::{ContinuousCDF, Normal};

use super::{CONFIDENCE, Interval, TimeRatio, is_time, median, median_interval};

/// The ratio a ∕ b of times that were not taken in the same rounds.
///
/// That is the estimate of Hodges and Lehmann on the logarithms, with the exact
/// interval of the Mann-Whitney test, which asks for no normal noise (Lehmann,
/// *Nonparametrics*, 1975, chapter 2). That test takes both sides' noise to be
/// of one shape, which two machines need not have; so the interval is at least
/// as wide as that of either side's median alone, which is all there is where
/// the other side has no noise. `None` where a side has no time.
pub fn unpaired_ratio(a: &[f64], b: &[f64]) -> Option<TimeRatio> {
    let logs = |times: &[f64]| -> Vec<f64> {
        let usable = times.iter().filter(|time| is_time(**time));
        usable.map(|time| time.ln()).collect()
    };
    let (a, b) = (logs(a), logs(b));
    let mut apart: Vec<f64> = a
        .iter()
        .flat_map(|x| b.iter().map(move |y| x - y))
        .collect();
    apart.sort_by(f64::total_cmp);
    let (rank, confidence) = rank_of_interval(a.len(), b.len());
    let centre = median(&apart)?;
    let (of_a, of_b) = (median_interval(&a)?, median_interval(&b)?);
    let (mid_a, mid_b) = (median(&a)?, median(&b)?);
    let lows = [*apart.get(rank)?, of_a.lo - mid_b, mid_a - of_b.hi];
    let highs = [
        *apart.get(apart.len() - 1 - rank)?,
        of_a.hi - mid_b,
        mid_a - of_b.lo,
    ];
    Some(TimeRatio {
        ratio: centre.exp(),
        interval: Interval {
            lo: lows.into_iter().fold(centre, f64::min).exp(),
            hi: highs.into_iter().fold(centre, f64::max).exp(),
            confidence,
        },
        rounds: a.len().min(b.len()),
    })
}

/// The index of the lower end among all differences of `m` and `n` values, and
/// the confidence with which the interval from it to its mirror image holds.
fn rank_of_interval(m: usize, n: usize) -> (usize, f64) {
    // Beyond this the normal curve is exact enough, and counting takes long.
    const COUNTED: usize = 40;
    let tail: Vec<f64> = if m.max(n) <= COUNTED {
        mann_whitney(m, n)
    } else {
        let (m, n) = (m as f64, n as f64);
        let spread = (m * n * (m + n + 1.0) / 12.0).sqrt();
        let Ok(normal) = Normal::new(m * n / 2.0, spread) else {
            return (0, 0.0);
        };
        let most = (m * n / 2.0) as usize;
        (0..most).map(|u| normal.cdf(u as f64 + 0.5)).collect()
    };
    let wide = |index: &usize| 2.0 * tail[*index] <= 1.0 - CONFIDENCE;
    let index = (0..tail.len()).take_while(wide).last().unwrap_or(0);
    let miss = tail.get(index).map_or(1.0, |tail| 2.0 * tail);
    (index, (1.0 - miss).max(0.0))
}

/// P(U ≤ u) of the Mann-Whitney statistic for u from 0 to half of its range.
fn mann_whitney(m: usize, n: usize) -> Vec<f64> {
    // Ways to reach each u with i and j values: the largest is of the one or the other.
    let mut ways = vec![vec![vec![1.0]; n + 1]; m + 1];
    for i in 1..=m {
        for j in 1..=n {
            let mut sum = vec![0.0; i * j + 1];
            for (u, count) in ways[i - 1][j].iter().enumerate() {
                sum[u + j] += count;
            }
            for (u, count) in ways[i][j - 1].iter().enumerate() {
                sum[u] += count;
            }
            ways[i][j] = sum;
        }
    }
    let ways = &ways[m][n];
    let all: f64 = ways.iter().sum();
    let mut below = 0.0;
    let add = |count: &f64| {
        below += count;
        below / all
    };
    ways.iter().take(m * n / 2 + 1).map(add).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_between_two_runs_has_the_ranks_of_the_published_table() {
        // Critical values of the Mann-Whitney test, two-sided 5 %, any table of it.
        for (m, n, critical) in [
            (4, 4, 0),
            (5, 5, 2),
            (6, 6, 5),
            (8, 8, 13),
            (10, 10, 23),
            (20, 20, 127),
        ] {
            let (rank, confidence) = rank_of_interval(m, n);
            assert_eq!(rank, critical, "{m} and {n}");
            assert!(confidence >= CONFIDENCE);
        }
        assert!(rank_of_interval(3, 3).1 < CONFIDENCE);
        // Where counting ends, the normal curve goes on.
        let (counted, normal) = (rank_of_interval(40, 40).0, rank_of_interval(41, 40).0);
        assert!(
            (counted..counted + 30).contains(&normal),
            "{counted}, {normal}"
        );
    }

    #[test]
    fn two_runs_that_are_all_apart_are_told_apart_and_swapped_are_the_reciprocal() {
        let (a, b) = ([2.0, 2.02, 2.04, 1.98], [1.0, 1.01, 1.02, 0.99]);
        let (found, back) = (
            unpaired_ratio(&a, &b).unwrap(),
            unpaired_ratio(&b, &a).unwrap(),
        );
        assert!(found.interval.lo > 1.9 && found.interval.hi < 2.1);
        assert!((found.ratio * back.ratio - 1.0).abs() < 1e-9);
        assert_eq!(unpaired_ratio(&a, &[f64::NAN]), None);
        assert!(
            unpaired_ratio(&a[..1], &b[..1])
                .unwrap()
                .interval
                .confidence
                < CONFIDENCE
        );
    }
}
