//! One for all: what comes from the loop goes to everybody who takes it.

use std::sync::Arc;

use trueup_core::report::Event;
use trueup_engine::Sink;
use trueup_ports::{Measurement, Meter};

/// Gives every event to each of these, in this order.
pub struct Sinks(pub Vec<Arc<dyn Sink>>);

impl Sink for Sinks {
    fn emit(&self, event: &Event) {
        for sink in &self.0 {
            sink.emit(event);
        }
    }
}

/// Gives every measurement to each of these.
#[derive(Debug)]
pub struct Meters(pub Vec<Arc<dyn Meter>>);

impl Meter for Meters {
    fn measure(&self, measurement: &Measurement<'_>) {
        for meter in &self.0 {
            meter.measure(measurement);
        }
    }
}
