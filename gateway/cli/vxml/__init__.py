"""``voxgate vxml``: a VoiceXML application tried and checked without a phone."""
