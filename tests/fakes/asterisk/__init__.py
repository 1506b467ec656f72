"""A fake Asterisk for faults that a real one cannot be told to make, and for ceilings.

It speaks AMI, FastAGI and AudioSocket on loopback, in a process of its own, so that it and a gateway survive each other::

    with FakeAsterisk(seed=7) as asterisk:
        gateway = GatewayProcess(asterisk)
        ...
        asterisk.fault("cut_in_originate")
        ...
        rung(asterisk.carrier_log)

``tests/contract`` holds it to the real one.
"""

from tests.fakes.asterisk.carrierlog import Rung, rung
from tests.fakes.asterisk.process import FakeAsterisk

__all__ = ["FakeAsterisk", "Rung", "rung"]
