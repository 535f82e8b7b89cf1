//! Promises that are about long times and large fleets.

mod accounts;
mod outage;
mod rest;
mod rollback;
mod self_management;
