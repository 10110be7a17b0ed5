//! How throughput grows with workers: Amdahl's law and the Universal
//! Scalability Law, where the data can carry them.
//!
//! A model is claimed only where **both** hold, else it is `None`:
//! - there are more measured worker counts than parameters: three for Amdahl's
//!   law, and five for the Universal Scalability Law, whose three parameters go
//!   through any three points and close by any four;
//! - the coefficient of determination is at least [`MIN_R2`].
//!
//! The `usl` crate is not used: it is archived, panics below six points and
//! where its solver fails, and may return negative coefficients, which mean
//! nothing. Written over throughput⁻¹ the law is linear, and least squares
//! with non-negative coefficients takes the few lines below.

use super::results::{Amdahl, Dispatch, Fit, Load, Residual, Usl};

/// The least coefficient of determination with which a model is claimed.
pub const MIN_R2: f64 = 0.9;

/// Throughput at one worker count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Jobs at once.
    pub workers: usize,
    /// Median throughput, in any unit of work a second.
    pub rate: f64,
}

/// Fits one load and dispatch, of which `best_workers` are known.
///
/// Points are of distinct worker counts; those without a positive throughput
/// are left out.
pub fn fit((load, dispatch): (Load, Dispatch), points: &[Point], best_workers: usize) -> Fit {
    let usable = |point: &&Point| point.workers > 0 && point.rate.is_normal() && point.rate > 0.0;
    let points: Vec<Point> = points.iter().filter(usable).copied().collect();
    Fit {
        work: load.work,
        codec_threads: load.codec_threads,
        dispatch,
        amdahl: amdahl(&points),
        usl: usl(&points),
        best_workers,
    }
}

/// Least squares of 1 / (s + (1 − s) / n) on the speed-up against one worker
/// (Amdahl, AFIPS 1967).
///
/// The speed-up of one worker is 1 by definition, so it does not count as a
/// point to be explained; at least two others must be.
fn amdahl(points: &[Point]) -> Option<Amdahl> {
    let one = points.iter().find(|point| point.workers == 1)?.rate;
    let speedups: Vec<(f64, f64)> = points
        .iter()
        .map(|point| (point.workers as f64, point.rate / one))
        .collect();
    if speedups.len() - 1 <= 1 {
        return None;
    }
    let serial = least(|serial| squares(&speedups, |n| amdahl_speedup(serial, n)));
    let law = |n| amdahl_speedup(serial, n);
    let explained: Vec<(f64, f64)> = speedups.iter().copied().filter(|at| at.0 > 1.0).collect();
    let r2 = r2(&explained, law)?;
    (r2 >= MIN_R2).then(|| Amdahl {
        serial,
        r2,
        residuals: residuals(&speedups, law),
    })
}

fn amdahl_speedup(serial: f64, n: f64) -> f64 {
    1.0 / (serial + (1.0 - serial) / n)
}

/// Where between 0 and 1 a function is least: a grid that finds the valley,
/// then a ternary search within it.
fn least(of: impl Fn(f64) -> f64) -> f64 {
    const STEPS: u32 = 200;
    let step = 1.0 / f64::from(STEPS);
    let valley = (0..=STEPS)
        .map(|i| f64::from(i) * step)
        .min_by(|a, b| of(*a).total_cmp(&of(*b)))
        .unwrap_or(0.0);
    let (mut lo, mut hi) = ((valley - step).max(0.0), (valley + step).min(1.0));
    while hi - lo > 1e-9 {
        let third = (hi - lo) / 3.0;
        if of(lo + third) <= of(hi - third) {
            hi -= third;
        } else {
            lo += third;
        }
    }
    // The ends themselves are answers, too: all of it parallel, or nothing.
    [lo, hi]
        .into_iter()
        .min_by(|a, b| of(*a).total_cmp(&of(*b)))
        .unwrap_or(valley)
}

/// Least squares of the Universal Scalability Law (Gunther, *Guerrilla
/// Capacity Planning*, 2007, chapter 4), with contention and crosstalk ≥ 0.
///
/// n / X(n) = 1/λ + (σ/λ)(n − 1) + (κ/λ) n(n − 1) is linear in its three
/// coefficients. Residuals are relative, as the noise of a wall time is.
fn usl(points: &[Point]) -> Option<Usl> {
    const LEAST_COUNTS: usize = 5;
    if points.len() < LEAST_COUNTS {
        return None;
    }
    // Each row divided by its n / X(n), so that every target is 1.
    let rows: Vec<[f64; 3]> = points
        .iter()
        .map(|point| {
            let n = point.workers as f64;
            [1.0, n - 1.0, n * (n - 1.0)].map(|term| term * point.rate / n)
        })
        .collect();
    let [base, contention, crosstalk] = non_negative(&rows)?;
    let (lambda, sigma, kappa) = (1.0 / base, contention / base, crosstalk / base);
    let law = |n: f64| lambda * n / (1.0 + sigma * (n - 1.0) + kappa * n * (n - 1.0));
    let rates: Vec<(f64, f64)> = points
        .iter()
        .map(|point| (point.workers as f64, point.rate))
        .collect();
    let r2 = r2(&rates, law)?;
    (r2 >= MIN_R2).then(|| Usl {
        lambda,
        sigma,
        kappa,
        r2,
        residuals: residuals(&rates, law),
    })
}

/// The coefficients ≥ 0, the first > 0, with which the rows come closest to 1.
///
/// With two that may be zero there are four cases, so all are tried.
fn non_negative(rows: &[[f64; 3]]) -> Option<[f64; 3]> {
    let error = |found: &[f64; 3]| -> f64 {
        rows.iter()
            .map(|row| {
                let sum: f64 = row.iter().zip(found).map(|(x, c)| x * c).sum();
                (sum - 1.0).powi(2)
            })
            .sum()
    };
    [[false, false], [true, false], [false, true], [true, true]]
        .into_iter()
        .filter_map(|[second, third]| solve(rows, [true, second, third]))
        .filter(|found| found[0] > 0.0 && found.iter().all(|c| c.is_finite() && *c >= 0.0))
        .min_by(|a, b| error(a).total_cmp(&error(b)))
}

/// Normal equations over the used columns, by Gauss-Jordan elimination; the
/// coefficients of the others are 0.
fn solve(rows: &[[f64; 3]], used: [bool; 3]) -> Option<[f64; 3]> {
    let mut system = [[0.0; 4]; 3];
    for (i, equation) in system.iter_mut().enumerate() {
        if !used[i] {
            equation[i] = 1.0;
            continue;
        }
        for row in rows {
            for j in (0..3).filter(|&j| used[j]) {
                equation[j] += row[i] * row[j];
            }
            equation[3] += row[i];
        }
    }
    // Symmetric and, where it has an answer, positive definite: no pivoting.
    for pivot in 0..3 {
        let scale = system[pivot][pivot];
        if !scale.is_normal() {
            return None;
        }
        let row = system[pivot].map(|x| x / scale);
        for (i, equation) in system.iter_mut().enumerate() {
            let factor = equation[pivot];
            if i == pivot {
                *equation = row;
            } else {
                for (x, y) in equation.iter_mut().zip(row) {
                    *x -= factor * y;
                }
            }
        }
    }
    Some(system.map(|equation| equation[3]))
}

/// 1 − residual squares / squares about the mean; `None` where all are equal.
fn r2(points: &[(f64, f64)], model: impl Fn(f64) -> f64) -> Option<f64> {
    let mean = points.iter().map(|point| point.1).sum::<f64>() / points.len() as f64;
    let total = squares(points, |_| mean);
    let r2 = 1.0 - squares(points, model) / total;
    (total > 0.0 && r2.is_finite()).then_some(r2)
}

fn residuals(points: &[(f64, f64)], model: impl Fn(f64) -> f64) -> Vec<Residual> {
    let residual = |&(n, y): &(f64, f64)| Residual {
        workers: n as usize,
        share: y / model(n) - 1.0,
    };
    points.iter().map(residual).collect()
}

fn squares(points: &[(f64, f64)], model: impl Fn(f64) -> f64) -> f64 {
    points.iter().map(|&(n, y)| (y - model(n)).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::results::Work;
    use proptest::prelude::*;

    fn points(rate: impl Fn(f64) -> f64, workers: &[usize]) -> Vec<Point> {
        workers
            .iter()
            .map(|&workers| Point {
                workers,
                rate: rate(workers as f64),
            })
            .collect()
    }

    fn fitted(points: &[Point]) -> Fit {
        let load = Load {
            work: Work::Transcode,
            codec_threads: 1,
        };
        fit((load, Dispatch::Threads), points, 1)
    }

    #[test]
    fn amdahls_serial_part_is_recovered_from_three_worker_counts() {
        for serial in [0.0, 0.08, 0.5, 1.0] {
            let found = amdahl(&points(|n| 7.0 * amdahl_speedup(serial, n), &[1, 2, 3]));
            match found {
                Some(found) => assert!((found.serial - serial).abs() < 1e-6, "{found:?}"),
                // Nothing runs in parallel: all speed-ups are 1, there is no curve to explain.
                None => assert_eq!(serial, 1.0),
            }
        }
    }

    #[test]
    fn two_worker_counts_are_too_few_for_amdahl() {
        assert_eq!(fitted(&points(|n| n, &[1, 2])).amdahl, None);
        assert_eq!(fitted(&points(|n| n, &[2, 3, 4])).amdahl, None);
    }

    #[test]
    fn the_scalability_law_is_recovered_from_exact_data() {
        let law = |n: f64| 955.0 * n / (1.0 + 0.027 * (n - 1.0) + 0.0001 * n * (n - 1.0));
        let found = usl(&points(law, &[1, 2, 4, 8, 16, 32])).unwrap();
        assert!((found.lambda - 955.0).abs() < 1e-3, "{found:?}");
        assert!((found.sigma - 0.027).abs() < 1e-6, "{found:?}");
        assert!((found.kappa - 0.0001).abs() < 1e-8, "{found:?}");
        assert!(found.r2 > 0.999_999);
        assert!(found.residuals.iter().all(|at| at.share.abs() < 1e-9));
        assert_eq!(found.residuals.len(), 6);
    }

    #[test]
    fn four_worker_counts_carry_no_scalability_law_and_five_do() {
        let law = |n: f64| n / (1.0 + 0.1 * (n - 1.0));
        assert_eq!(fitted(&points(law, &[1, 2, 3, 4])).usl, None);
        assert!(fitted(&points(law, &[1, 2, 3, 4, 5])).usl.is_some());
    }

    #[test]
    fn one_worker_explains_nothing_of_amdahls_law() {
        // R² is 0.53; with one worker, whose speed-up no curve can miss, it would be 0.94.
        let rates = |n: f64| [0.0, 1.0, 2.1, 2.4, 2.8][n as usize];
        assert_eq!(amdahl(&points(rates, &[1, 2, 3, 4])), None);
    }

    #[test]
    fn better_than_linear_scaling_gives_no_negative_coefficient() {
        let found = usl(&points(|n| n * (1.0 + 0.01 * n), &[1, 2, 3, 4, 5])).unwrap();
        assert_eq!((found.sigma, found.kappa), (0.0, 0.0));
    }

    #[test]
    fn a_curve_that_no_law_explains_is_not_claimed() {
        let jagged = |n: f64| {
            if (n as usize).is_multiple_of(2) {
                1.0
            } else {
                3.0
            }
        };
        let found = fitted(&points(jagged, &[1, 2, 3, 4, 5, 6]));
        assert_eq!((found.amdahl, found.usl), (None, None));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn any_rates_give_finite_coefficients_or_none(
            rates in prop::collection::vec(any::<f64>(), 0..9)
        ) {
            let points: Vec<Point> = rates
                .iter()
                .enumerate()
                .map(|(i, &rate)| Point { workers: i + 1, rate })
                .collect();
            let found = fitted(&points);
            if let Some(usl) = found.usl {
                prop_assert!(usl.lambda.is_finite() && usl.sigma >= 0.0 && usl.kappa >= 0.0);
            }
            if let Some(amdahl) = found.amdahl {
                prop_assert!((0.0..=1.0).contains(&amdahl.serial));
            }
        }

        #[test]
        fn a_noisy_law_is_found_near_the_truth(
            sigma in 0.02..0.3f64, kappa in 0.0..0.01f64, seed in any::<u64>()
        ) {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut noisy = points(
                |n| 10.0 * n / (1.0 + sigma * (n - 1.0) + kappa * n * (n - 1.0)),
                &[1, 2, 3, 4, 6, 8, 12, 16],
            );
            for point in &mut noisy {
                point.rate *= 0.99 + 0.02 * random.f64();
            }
            let found = usl(&noisy).unwrap();
            prop_assert!((found.sigma - sigma).abs() < 0.1 * (1.0 + sigma), "{found:?}");
            prop_assert!((found.lambda - 10.0).abs() < 0.5, "{found:?}");
        }
    }
}
