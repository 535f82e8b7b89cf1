//! Bugs that seeded histories found, each as a short history of its own.

mod older_commits;
