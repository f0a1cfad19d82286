//! The stages of segmenting a query, and what each takes.

use std::convert::Infallible;
use std::time::Duration;

use burn::tensor::{Device, ProfileDuration};

use crate::readback::NotReturned;

/// Who does the work of the stages, in their order.
pub trait Stages {
    type Error;

    fn stage<T: Send + 'static>(
        &mut self,
        name: &'static str,
        work: impl FnOnce() -> T + Send,
    ) -> Result<T, Self::Error>;
}

/// Does the work and no more.
pub struct Untimed;

impl Stages for Untimed {
    type Error = Infallible;

    fn stage<T: Send + 'static>(&mut self, _: &str, work: impl FnOnce() -> T + Send) -> Result<T, Infallible> {
        Ok(work())
    }
}

/// Takes the time of each stage on a device, by the device's own clock where it has one: the host need not wait then.
pub struct Timed {
    device: Device,
    windows: Vec<(&'static str, ProfileDuration)>,
}

impl Timed {
    pub fn on(device: &Device) -> Self {
        Self { device: device.clone(), windows: Vec::new() }
    }

    /// The name of each stage, and its time, of all its parts together; none where the device's clock is too coarse.
    pub async fn times(self) -> Vec<(&'static str, Option<Duration>)> {
        let mut times: Vec<(_, Option<Duration>)> = Vec::new();
        for (name, window) in self.windows {
            let time = window.resolve().await.map(|ticks| ticks.duration());
            match times.iter_mut().find(|(earlier, _)| *earlier == name) {
                Some((_, sum)) => *sum = sum.zip(time).map(|(sum, time)| sum + time),
                None => times.push((name, time)),
            }
        }
        times
    }
}

impl Stages for Timed {
    type Error = NotReturned;

    fn stage<T: Send + 'static>(
        &mut self,
        name: &'static str,
        work: impl FnOnce() -> T + Send,
    ) -> Result<T, NotReturned> {
        let (done, window) = self.device.profile(work).map_err(|error| NotReturned(error.to_string()))?;
        self.windows.push((name, window));
        Ok(done)
    }
}
