//! Time passes: whatever is due happens, in order.

use crate::time::Time;
use crate::world::{Happening, World};
use crate::{ecs, elb};

impl World {
    /// Lets everything happen up to and including `time`, in order.
    pub fn advance(&mut self, time: Time) {
        elb::wake_if_scripted(self);
        ecs::scheduler::wake_if_scripted(self);
        while let Some((due, happening)) = self.take(time) {
            self.now = self.now.max(due);
            match happening {
                Happening::Ecs(tick) => ecs::scheduler::tick(self, tick),
                Happening::Elb(tick) => elb::tick(self, tick),
            }
        }
        self.now = self.now.max(time);
    }
}
