"""The long run of kill -9: `python -m tests.crash --help`, and README.md beside this."""
