"""DTMF grammars: SRGS XML and the builtins, matched digit by digit."""
