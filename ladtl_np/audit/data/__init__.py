"""Could a run's numbers be wrong for reasons outside the mathematics: files, scores, leakage."""
