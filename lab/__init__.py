"""The lab: a PBX running our configuration, and a simulated carrier, both real Asterisks."""
