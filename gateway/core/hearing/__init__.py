"""Who answered, told from the audio alone: pure, streaming, with no clock but the count of samples.

``spectrum`` cuts samples into frames and ``floor`` takes the line's noise off them, ``runs`` finds the tones in them,
``cadence``, ``sit``, ``beep`` with ``generator``, and ``fax`` recognise tones; ``prosody``, ``activity`` and ``net``
tell which frames hold a voice, and ``voice`` makes speech of them; ``listener`` joins these into evidence, ``greeting``
weighs lengths of speech and silence, and ``classifier`` gives and revises the verdict.
"""

from gateway.core.hearing.classifier import Classifier, Settings
from gateway.core.hearing.evidence import Evidence, Sound, Tone, Verdict

__all__ = ["Classifier", "Evidence", "Settings", "Sound", "Tone", "Verdict"]
