//! What else goes on: the load of the whole machine, and the clock rate of its cores.

use std::time::Duration;

/// CPU time that all processes together have used since the machine started.
///
/// The kernel counts in ticks of some 10 ms a core, so a short stretch is
/// known roughly, and many of them together well.
pub fn busy() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/stat").ok()?;
    let ticks = busy_ticks(text.lines().next()?)?;
    let a_second = rustix::param::clock_ticks_per_second();
    Some(Duration::from_secs_f64(ticks as f64 / a_second as f64))
}

/// `cpu user nice system idle iowait irq softirq steal …`: all but idle and
/// waiting; what guests use is in `user`, what they take from us in `steal`.
fn busy_ticks(line: &str) -> Option<u64> {
    let mut fields = line.split_whitespace();
    fields.next().filter(|name| *name == "cpu")?;
    let ticks: Vec<u64> = fields.map_while(|field| field.parse().ok()).collect();
    let [user, nice, system, _, _, rest @ ..] = ticks.as_slice() else {
        return None;
    };
    Some(user + nice + system + rest.iter().take(3).sum::<u64>())
}

/// What of `busy` CPU time was not `ours`; `None` where the system's count
/// cannot be true: in some containers it stands still.
pub fn by_others(busy: Duration, ours: Duration) -> Option<Duration> {
    (busy * 2 >= ours).then(|| busy.saturating_sub(ours))
}

/// Mean clock rate of the cores in MHz, where the system tells one.
pub fn clock_mhz() -> Option<f64> {
    let cores = std::fs::read_dir("/sys/devices/system/cpu").ok()?;
    let rates: Vec<f64> = cores
        .filter_map(|core| {
            let file = core.ok()?.path().join("cpufreq/scaling_cur_freq");
            let khz: f64 = std::fs::read_to_string(file).ok()?.trim().parse().ok()?;
            Some(khz / 1000.0)
        })
        .collect();
    let mean = |rates: &[f64]| rates.iter().sum::<f64>() / rates.len() as f64;
    match rates.as_slice() {
        [] => listed_mhz().as_deref().map(mean),
        rates => Some(mean(rates)),
    }
}

/// What the table of processors tells, where nothing better does.
fn listed_mhz() -> Option<Vec<f64>> {
    let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    let lines = text.lines().filter(|line| line.starts_with("cpu MHz"));
    let rates: Vec<f64> = lines
        .filter_map(|line| line.split_once(':')?.1.trim().parse().ok())
        .collect();
    (!rates.is_empty()).then_some(rates)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn idle_and_waiting_are_not_busy_and_guests_count_once() {
        let line = "cpu  100 20 30 4000 500 6 7 8 90 9";
        assert_eq!(busy_ticks(line), Some(100 + 20 + 30 + 6 + 7 + 8));
        assert_eq!(busy_ticks("cpu  100 20 30"), None);
        assert_eq!(busy_ticks("intr 1 2 3 4 5 6"), None);
    }

    #[test]
    fn a_count_that_stands_still_is_not_taken_for_a_quiet_machine() {
        let s = Duration::from_secs;
        assert_eq!(by_others(s(5), s(3)), Some(s(2)));
        assert_eq!(by_others(s(3), s(4)), Some(s(0)));
        assert_eq!(by_others(s(0), s(3)), None);
    }
}
