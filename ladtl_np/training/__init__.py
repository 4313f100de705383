"""From corpora to a trained network: preparation, the loop, what it leaves."""
