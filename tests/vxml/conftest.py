"""Case.run's assertions are shown in full."""

import pytest

pytest.register_assert_rewrite("tests.vxml.cases", "tests.vxml.caller")
