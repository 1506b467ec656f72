"""Breaks everything at random, seeded moments while a campaign runs, then checks the books."""
