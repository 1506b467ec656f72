"""A sans-I/O VoiceXML 2.1 interpreter: it yields actions and is sent events."""
