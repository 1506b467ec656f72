"""Holds the conversation: what answered, the customer's VoiceXML, digits and prompts on one channel."""

from gateway.services.dialog.service import DialogService, DialogSettings

__all__ = ["DialogService", "DialogSettings"]
