"""AudioSocket: the audio of calls as Asterisk's chan_audiosocket sends it over TCP."""

from gateway.adapters.audiosocket.server import AudioSocketServer, AudioSocketSettings

__all__ = ["AudioSocketServer", "AudioSocketSettings"]
