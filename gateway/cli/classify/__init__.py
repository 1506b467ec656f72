"""``voxgate classify``: who answered, heard in recordings."""
