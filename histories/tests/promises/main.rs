//! Promises that are about long times and large fleets.

mod rest;
mod rollback;
