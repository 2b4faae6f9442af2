//! Measures steps: the median with criterion, and the 99th percentile and throughput without.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion};

use crate::figures::{Figures, Kind, Unit};
use crate::full_or_quick;

/// Number of inputs that are prepared together: few enough that all stay in the first cache.
pub const RING: usize = 128;
/// Number of steps that are timed together for the 99th percentile if one is too short.
const BATCH: usize = 8;
const LONG: Duration = Duration::from_micros(5);

/// Measures steps and records the figures.
pub struct Bench {
    criterion: Criterion,
    figures: Figures,
    timer: Duration,
    tail: Duration,
}

impl Bench {
    /// Creates the file of figures of a program.
    pub fn new(program: &str) -> Self {
        let (warm_up, time, samples, resamples, tail) =
            full_or_quick((500, 3000, 50, 20_000, 1500), (100, 250, 10, 2000, 100));
        let criterion = Criterion::default()
            .warm_up_time(Duration::from_millis(warm_up))
            .measurement_time(Duration::from_millis(time))
            .sample_size(samples)
            .nresamples(resamples)
            .without_plots();
        Self {
            criterion,
            figures: Figures::new(program),
            timer: timer(),
            tail: Duration::from_millis(tail),
        }
    }

    /// Returns the file, for figures that are measured otherwise.
    pub fn figures(&mut self) -> &mut Figures {
        &mut self.figures
    }

    /// Measures `step` on inputs that `ready` replaces by the next ones.
    ///
    /// Preparing inputs is not timed, and leaves them in a cache, as reading a request does in a
    /// server. A step must return 0, computed from its result: the place of the next input depends
    /// on it, so that no step starts before the previous one has finished. `name` is `group/what`,
    /// and one step performs `each` operations.
    pub fn steps<T>(
        &mut self,
        name: &str,
        n: Option<u64>,
        each: u32,
        ring: &mut [T],
        mut ready: impl FnMut(&mut T),
        mut step: impl FnMut(&T) -> u64,
    ) {
        let (group, what) = name.split_once('/').unwrap();
        let timer = self.timer;
        let mut group = self.criterion.benchmark_group(group);
        let parameter = || BenchmarkId::from_parameter(what);
        let id = n.map_or_else(parameter, |n| BenchmarkId::new(what, n));
        group.bench_function(id, |bencher| {
            bencher.iter_custom(|steps| {
                // A sample is the median of its rounds, because the system interrupts few of them,
                // but for long.
                let (mut times, mut left) = (Vec::new(), steps);
                while left > 0 {
                    let count = left.min(ring.len() as u64);
                    let part = &mut ring[..count as usize];
                    part.iter_mut().for_each(&mut ready);
                    let time = chain(part, timer, &mut step);
                    times.push(time.as_nanos() as f64 / count as f64);
                    left -= count;
                }
                let all = median(times) * steps as f64 / f64::from(each);
                Duration::from_nanos(all as u64)
            });
        });
        group.finish();
        let p99 = self.percentile(ring, &mut ready, &mut step) / f64::from(each);
        let overlapping = self.overlapping(ring, &mut ready, &mut step) / f64::from(each);
        for (kind, value) in [(Kind::P99, p99), (Kind::Throughput, overlapping)] {
            self.figures.add(name, n, kind, value, Unit::Nanoseconds);
        }
    }

    /// Measures a step that needs no input.
    pub fn chain(&mut self, name: &str, n: Option<u64>, mut step: impl FnMut() -> u64) {
        self.steps(name, n, 1, &mut [(); RING], |()| (), |()| step());
    }

    /// Returns the 99th percentile in nanoseconds, over batches of dependent steps.
    fn percentile<T>(
        &self,
        ring: &mut [T],
        ready: &mut impl FnMut(&mut T),
        step: &mut impl FnMut(&T) -> u64,
    ) -> f64 {
        ring.iter_mut().for_each(&mut *ready);
        let first = chain(&ring[..1], self.timer, step);
        let batch = if first > LONG { 1 } else { BATCH };
        let mut times = Vec::new();
        let began = Instant::now();
        while began.elapsed() < self.tail || times.len() < 10 {
            ring.iter_mut().for_each(&mut *ready);
            for part in ring.chunks_exact(batch.min(ring.len())) {
                let time = chain(part, self.timer, step).as_nanos();
                times.push(time as f64 / part.len() as f64);
                if batch == 1 && began.elapsed() > self.tail {
                    break;
                }
            }
        }
        at(times, 0.99)
    }

    /// Returns the median in nanoseconds per step, of steps that may overlap.
    fn overlapping<T>(
        &self,
        ring: &mut [T],
        ready: &mut impl FnMut(&mut T),
        step: &mut impl FnMut(&T) -> u64,
    ) -> f64 {
        let mut times = Vec::new();
        let began = Instant::now();
        while began.elapsed() < self.tail / 3 || times.is_empty() {
            ring.iter_mut().for_each(&mut *ready);
            let start = Instant::now();
            let (mut all, mut done) = (0, 0_u32);
            for input in &*ring {
                all |= step(input);
                done += 1;
                if done == 1 && start.elapsed() > LONG * 100 {
                    break;
                }
            }
            black_box(all);
            let time = start.elapsed().saturating_sub(self.timer);
            times.push(time.as_nanos() as f64 / f64::from(done));
        }
        median(times)
    }
}

/// Returns the time of the steps on all inputs, one after the other.
#[inline]
fn chain<T>(inputs: &[T], timer: Duration, step: &mut impl FnMut(&T) -> u64) -> Duration {
    let start = Instant::now();
    let mut last = 0;
    for place in 0..inputs.len() {
        last = step(&inputs[place + last as usize]);
    }
    black_box(last);
    start.elapsed().saturating_sub(timer)
}

fn at(mut times: Vec<f64>, part: f64) -> f64 {
    times.sort_by(f64::total_cmp);
    times[((times.len() - 1) as f64 * part) as usize]
}

/// Returns the median.
pub fn median(times: Vec<f64>) -> f64 {
    at(times, 0.5)
}

/// Returns the time that two readings of the clock take.
fn timer() -> Duration {
    let read = |_| {
        let start = Instant::now();
        start.elapsed().as_nanos() as f64
    };
    Duration::from_nanos(median((0..10_001).map(read).collect()) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_sorted_times() {
        let times: Vec<f64> = (0..=100).rev().map(f64::from).collect();
        assert_eq!(at(times.clone(), 0.5), 50.0);
        assert_eq!(at(times, 0.99), 99.0);
        assert_eq!(at(vec![7.0], 0.99), 7.0);
    }

    #[test]
    fn the_time_of_the_clock_is_subtracted() {
        let slow = |_: &()| {
            std::thread::sleep(Duration::from_millis(2));
            0
        };
        let all = chain(&[()], Duration::ZERO, &mut { slow });
        let less = chain(&[()], Duration::from_secs(1), &mut { slow });
        assert!(all >= Duration::from_millis(2));
        assert_eq!(less, Duration::ZERO);
    }
}
