"""Trains the model that tells person from machine: ``make train``. Nothing here is needed to run the gateway."""
