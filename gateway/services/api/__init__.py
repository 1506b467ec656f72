"""The public API under /api/v1: typed operations, their documentation, and who may call them."""

from gateway.services.api.api import Api, Parts

__all__ = ["Api", "Parts"]
