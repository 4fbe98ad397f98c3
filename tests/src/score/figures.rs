//! `Figures`: what is told of many measurements.

use serde::Serialize;

#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Figures {
    pub count: usize,
    pub p50: f64,
    pub p95: f64,
    pub max: f64,
}

impl Figures {
    /// Nothing of nothing. A percentile is one of the measurements, the nearest rank's.
    pub fn of(mut all: Vec<f64>) -> Option<Self> {
        all.sort_by(f64::total_cmp);
        let max = *all.last()?;
        let rank = |percent: usize| all[(all.len() * percent).div_ceil(100).max(1) - 1];
        Some(Self { count: all.len(), p50: rank(50), p95: rank(95), max })
    }
}
