"""FastAGI: panoramisk's application behind an adapter that mends its defects, and the detector that works over it."""

from gateway.adapters.agi.detector import AgiDetector
from gateway.adapters.agi.server import AgiServer, AgiSettings
from gateway.adapters.agi.session import AgiError

__all__ = ["AgiDetector", "AgiError", "AgiServer", "AgiSettings"]
