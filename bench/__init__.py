"""Runnable comparisons: each prints ratios measured side by side in one run."""
