"""The same examples in every run, and no deadline: machines of different speeds must agree."""

from hypothesis import settings

settings.register_profile("security", deadline=None, derandomize=True, max_examples=60, print_blob=True)
settings.load_profile("security")
