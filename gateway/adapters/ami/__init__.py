"""Asterisk over AMI: panoramisk behind an adapter that mends its defects."""

from gateway.adapters.ami.link import AmiLoginRefused, UnsafeHeader
from gateway.adapters.ami.pbx import AmiPbx, AmiSettings
from gateway.adapters.ami.recording import Recorder

__all__ = ["AmiLoginRefused", "AmiPbx", "AmiSettings", "Recorder", "UnsafeHeader"]
