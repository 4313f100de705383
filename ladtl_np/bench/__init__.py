"""Ours and a peer side by side: workloads, operation counts, measurement and its report."""
