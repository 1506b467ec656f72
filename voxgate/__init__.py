"""The client of Voxgate's API: its models are the very ones by which the gateway validates and describes it."""
