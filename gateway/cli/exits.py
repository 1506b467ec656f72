"""What the exit status of every command means: the one list that ``--help`` and the documentation print."""

from __future__ import annotations

from enum import IntEnum

from gateway.adapters.tls import TlsRefused
from gateway.cli.client import Lost, Refused, Unreachable
from gateway.config import ConfigError
from gateway.ports import NameTaken, StoreError


class ExitStatus(IntEnum):
    DONE = 0
    REFUSED = 1
    USAGE = 2
    NO_GATEWAY = 3
    CONFIGURATION = 4
    DATABASE = 5
    ASTERISK = 6
    INTERRUPTED = 130


MEANING: dict[ExitStatus, str] = {
    ExitStatus.DONE: "done",
    ExitStatus.REFUSED: "refused or failed; or a check found something to mend",
    ExitStatus.USAGE: "wrong usage",
    ExitStatus.NO_GATEWAY: "no gateway answers",
    ExitStatus.CONFIGURATION: "the configuration cannot be used",
    ExitStatus.DATABASE: "the database cannot be used, or is in use",
    ExitStatus.ASTERISK: "Asterisk refuses the manager login",
    ExitStatus.INTERRUPTED: "interrupted from the keyboard",
}


def faults() -> dict[type[Exception], ExitStatus]:
    """Faults that are told in one line, and the status that each ends with; the first that fits counts."""
    from gateway.adapters.ami import AmiLoginRefused  # a quarter of a second that only a fault costs

    return {
        Unreachable: ExitStatus.NO_GATEWAY,
        ConfigError: ExitStatus.CONFIGURATION,
        TlsRefused: ExitStatus.CONFIGURATION,
        NameTaken: ExitStatus.REFUSED,
        StoreError: ExitStatus.DATABASE,
        AmiLoginRefused: ExitStatus.ASTERISK,
        Refused: ExitStatus.REFUSED,
        Lost: ExitStatus.REFUSED,
        ValueError: ExitStatus.REFUSED,
        OSError: ExitStatus.REFUSED,
    }


def status_of(error: BaseException) -> ExitStatus | None:
    """The status for a fault that is told in one line; None for one that is a defect of ours."""
    return next((status for kind, status in faults().items() if isinstance(error, kind)), None)


def table() -> str:
    return "\n".join(f"{int(status):>4}  {meaning}" for status, meaning in MEANING.items())
