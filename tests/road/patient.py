"""A PBX of its own that the doctor's tests may spoil, beside the lab's carrier."""

from __future__ import annotations

import copy
import ctypes
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.config import load
from gateway.settings import Config
from lab import fetch
from lab.gateway import GatewayProcess
from lab.instance import Instance, free_port
from lab.lab import Lab

#: CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH: what lets root read and write everything (capabilities(7)).
FILE_RIGHTS = 1 << 1 | 1 << 2
_CAPABILITY_VERSION = 0x20080522


class Patient:
    """A started Asterisk with the files of asterisk-conf/, and a configuration for it that is in order."""

    def __init__(self, lab: Lab) -> None:
        own = copy.copy(lab)
        own.ami_port, own.agi_port, own.sip_port = free_port(), free_port(), free_port(socket.SOCK_DGRAM)
        own.pbx = Instance("patient", lab.folder / "patient", fetch.asterisk(), own._pbx(free_port(socket.SOCK_DGRAM)))
        self.lab = own
        self.pbx = own.pbx
        self._script = (self.pbx.folder / "start").read_text()
        self.gateway = GatewayProcess(own, name="patient-gateway")
        self.pbx.start()

    @property
    def etc(self) -> Path:
        return self.pbx.etc

    def config(self) -> Config:
        return load(self.gateway.config, {})

    @contextmanager
    def file(self, name: str, old: str, new: str, *, reload: str = "") -> Iterator[None]:
        """One of Asterisk's files changed, and reloaded by a console command; mended afterwards."""
        path = self.etc / name
        text = path.read_text()
        assert old in text, (name, old)
        path.write_text(text.replace(old, new))
        try:
            if reload:
                self.pbx.cli(reload)
            yield
        finally:
            path.write_text(text)
            if reload:
                self.pbx.cli(reload)

    @contextmanager
    def without(self, module: str) -> Iterator[None]:
        said = self.pbx.cli(f"module unload {module}.so")
        assert "Unloaded" in said, said
        try:
            yield
        finally:
            self.pbx.cli(f"module load {module}.so")

    @contextmanager
    def started_as(self, prefix: str) -> Iterator[None]:
        """Asterisk started anew with ``prefix`` before its command line, and in order again afterwards."""
        script = self.pbx.folder / "start"
        try:
            script.write_text(self._script.replace("exec ", prefix, 1))
            self.pbx.restart()
            yield
        finally:
            script.write_text(self._script)
            self.pbx.restart()


def is_root() -> bool:
    return os.geteuid() == 0


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Data(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


@contextmanager
def bound_by_file_rights() -> Iterator[None]:
    """Files' rights bind this thread as they bind an ordinary user, though it is root's."""
    if not is_root():
        yield
        return
    libc = ctypes.CDLL(None, use_errno=True)
    header, data = _Header(_CAPABILITY_VERSION, 0), (_Data * 2)()
    assert libc.capget(ctypes.byref(header), data) == 0
    before = data[0].effective
    data[0].effective = before & ~FILE_RIGHTS
    assert libc.capset(ctypes.byref(header), data) == 0
    try:
        yield
    finally:
        data[0].effective = before
        assert libc.capset(ctypes.byref(header), data) == 0
