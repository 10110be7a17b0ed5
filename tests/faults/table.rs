//! How often each fault was injected into each command, and what came of it.

use std::collections::BTreeMap;

use crate::tree::End;
use crate::trial::Outcome;

#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    injected: u64,
    done: u64,
    failed: u64,
    refused: u64,
    ended: u64,
    wrong: u64,
    panics: u64,
    hangs: u64,
    not_reached: u64,
}

impl Counts {
    fn add(&mut self, outcome: &Outcome) {
        let panics = outcome
            .wrong
            .iter()
            .any(|reason| reason.contains("panics: "));
        if !outcome.hit {
            self.not_reached += 1;
        } else {
            self.injected += 1;
            match outcome.end {
                End::Code(0) => self.done += 1,
                End::Code(1) => self.failed += 1,
                End::Code(2) => self.refused += 1,
                End::Code(_) | End::Signal(_) => self.ended += 1,
            }
        }
        self.wrong += u64::from(!outcome.wrong.is_empty());
        self.panics += u64::from(panics);
        self.hangs += u64::from(outcome.seems_to_hang());
    }

    fn sum(&mut self, other: &Self) {
        self.injected += other.injected;
        self.done += other.done;
        self.failed += other.failed;
        self.refused += other.refused;
        self.ended += other.ended;
        self.wrong += other.wrong;
        self.panics += other.panics;
        self.hangs += other.hangs;
        self.not_reached += other.not_reached;
    }
}

#[derive(Default)]
pub struct Table(BTreeMap<(String, String), Counts>);

impl Table {
    pub fn add(&mut self, subject: &str, fault: &str, outcome: &Outcome) {
        let key = (subject.to_owned(), fault.to_owned());
        self.0.entry(key).or_default().add(outcome);
    }

    pub fn injected(&self) -> u64 {
        self.0.values().map(|counts| counts.injected).sum()
    }

    pub fn wrong(&self) -> u64 {
        self.0.values().map(|counts| counts.wrong).sum()
    }

    pub fn print(&self) {
        println!(
            "{:<18} {:<20} {:>8} {:>6} {:>6} {:>6} {:>6} {:>10} {:>6} {:>5} {:>11}",
            "command",
            "fault",
            "injected",
            "exit 0",
            "exit 1",
            "exit 2",
            "other",
            "violations",
            "panics",
            "hangs",
            "not reached"
        );
        let mut all = Counts::default();
        for ((subject, fault), counts) in &self.0 {
            print(subject, fault, counts);
            all.sum(counts);
        }
        print("all", "", &all);
    }
}

fn print(subject: &str, fault: &str, counts: &Counts) {
    println!(
        "{subject:<18} {fault:<20} {:>8} {:>6} {:>6} {:>6} {:>6} {:>10} {:>6} {:>5} {:>11}",
        counts.injected,
        counts.done,
        counts.failed,
        counts.refused,
        counts.ended,
        counts.wrong,
        counts.panics,
        counts.hangs,
        counts.not_reached
    );
}
