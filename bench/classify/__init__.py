"""Who answered, measured on ``bench.corpus`` and on tones made as recommended."""
