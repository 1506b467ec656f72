"""What clients speak to: the Plum service over HTTP, and the JSON API of our own command line."""

from gateway.services.intake.app import build_app
from gateway.services.intake.desk import Desk, DeskSettings
from gateway.services.intake.form import clear_spool

__all__ = ["Desk", "DeskSettings", "build_app", "clear_spool"]
