//! The reconcile loop of trueup: schedule, observe, plan, apply, watch, report.
