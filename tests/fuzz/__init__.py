"""Fuzzing by hand: signed requests at a running house, and a coverage-guided fuzzer on the readers. See README.md."""
