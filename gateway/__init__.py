"""Voxgate: the outbound-calling gateway beside Asterisk."""

__version__ = "0.1.0.dev0"
