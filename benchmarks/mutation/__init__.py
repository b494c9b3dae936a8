"""What `make mutants` is made of: faults, the tests that reach a line, processes side by side."""
