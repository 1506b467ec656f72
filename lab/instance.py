"""One private, unprivileged Asterisk: its folders, its configuration files and its process."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab.fetch import Install

#: What any of our Asterisks loads beside asterisk-conf/modules.conf.
CORE_MODULES = """
res_sorcery_config res_sorcery_memory res_sorcery_astdb res_timing_timerfd res_crypto res_pjproject
res_rtp_asterisk res_pjsip res_pjsip_pubsub res_pjsip_session res_pjsip_sdp_rtp res_pjsip_caller_id
res_pjsip_nat res_pjsip_rfc3326 res_pjsip_logger res_pjsip_endpoint_identifier_user
res_pjsip_endpoint_identifier_ip res_pjsip_endpoint_identifier_anonymous res_pjsip_authenticator_digest
res_pjsip_outbound_authenticator_digest res_pjsip_outbound_registration res_pjsip_registrar
res_pjsip_dtmf_info res_pjsip_dlg_options res_pjsip_acl res_pjsip_path res_pjsip_t38 res_pjsip_header_funcs
res_format_attr_h264 chan_pjsip chan_bridge_media bridge_simple bridge_native_rtp bridge_softmix
bridge_holding pbx_config app_stack app_verbose app_transfer app_playtones app_mixmonitor app_exec app_system
app_userevent app_originate app_controlplayback res_fax res_fax_spandsp func_channel func_callerid func_global
func_logic func_math func_strings func_env func_hangupcause func_db app_read app_echo format_wav_gsm
format_gsm codec_gsm codec_a_mu
""".split()


def free_port(kind: int = socket.SOCK_STREAM, host: str = "127.0.0.1") -> int:
    """A port that nobody has now, and that no outgoing connection is given before it is used."""
    while True:
        port = random.SystemRandom().randrange(10_000, 20_000)  # below what Linux gives out by itself (32,768)
        with socket.socket(socket.AF_INET, kind) as sock, contextlib.suppress(OSError):
            sock.bind((host, port))
            return port


class StartFailed(Exception):
    """Asterisk did not come up: the message holds what it logged last."""


class Instance:
    """``confs`` maps file names to texts. ``host`` are the words that start a program on another host."""

    def __init__(
        self, name: str, folder: Path, install: Install, confs: Mapping[str, str], host: Sequence[str] = ()
    ) -> None:
        self.name = name
        self.folder = folder
        self._install = install
        self._host = host
        self._process: subprocess.Popen[bytes] | None = None
        self.etc = folder / "etc"
        for sub in ("etc", "run", "log", "spool", "lib", "cache", "keys", "etc/keys"):
            (folder / sub).mkdir(parents=True, exist_ok=True)
        for file, text in {**self._base(), **confs}.items():
            path = self.etc / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self._start_script()

    def _base(self) -> dict[str, str]:
        folder, install = self.folder, self._install
        return {
            "asterisk.conf": f"""[directories]
astetcdir => {self.etc}
astmoddir => {install.modules}
astvarlibdir => {folder}/lib
astdbdir => {folder}/lib
astcachedir => {folder}/cache
astkeydir => {folder}
astdatadir => {install.data}
astagidir => {folder}
astspooldir => {folder}/spool
astrundir => {folder}/run
astlogdir => {folder}/log
[options]
documentation_language = en_US
transmit_silence = yes
""",
            "logger.conf": "[general]\n[logfiles]\nmessages => notice,warning,error,dtmf\n",
            "cdr.conf": "[general]\nenable = no\n",
            "indications.conf": "[general]\ncountry = us\n[us]\ndescription = United States\n"
            "ringcadence = 2000,4000\ndial = 350+440\nring = 440+480/2000,0/4000\nbusy = 480+620/500,0/500\n"
            "congestion = 480+620/250,0/250\n",
            "udptl.conf": "[general]\n",
            "features.conf": "[general]\n",
            "ccss.conf": "[general]\n",
            "stasis.conf": "[threadpool]\n",
        }

    def _start_script(self) -> None:
        # argv0 is the script, so that `core restart` finds a program that it can execute.
        script = self.folder / "start"
        asterisk = self._install.program("asterisk")
        loader = self._install.loader
        if loader:
            words = [loader[0], "--argv0", str(script), *loader[1:], str(asterisk)]
        else:
            words = [str(asterisk)]
        line = " ".join(f"'{word}'" for word in [*words, "-f", "-C", f"{self.etc}/asterisk.conf"])
        script.write_text(f"#!/bin/sh\nexec {line}\n")
        script.chmod(0o755)

    @property
    def pid(self) -> int | None:
        return None if self._process is None else self._process.pid

    def start(self, timeout: float = 30.0) -> None:
        env = {**os.environ, "LC_ALL": "C.UTF-8"}
        with (self.folder / "log/stdout").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._host, str(self.folder / "start")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=env,
                cwd=self.folder,
            )
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            if (self.folder / "run/asterisk.ctl").exists() and "fully booted" in self.cli("core waitfullybooted"):
                return
            time.sleep(0.05)
        self.kill()
        raise StartFailed(f"the {self.name} Asterisk did not start:\n{self.log_tail()}")

    def cli(self, command: str) -> str:
        """Run a console command and return what it printed; empty where Asterisk does not answer."""
        asterisk = str(self._install.program("asterisk"))
        words = [*self._install.loader, asterisk, "-C", f"{self.etc}/asterisk.conf", "-rx", command]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=20, errors="replace")
        return done.stdout

    def stop(self) -> None:
        """End it in order; SIGTERM takes one to two seconds."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None
        (self.folder / "run/asterisk.ctl").unlink(missing_ok=True)

    def kill(self) -> None:
        """As a crash would: kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        (self.folder / "run/asterisk.ctl").unlink(missing_ok=True)

    def restart(self) -> None:
        self.stop()
        self.start()

    def log_tail(self, lines: int = 25) -> str:
        texts = []
        for name in ("log/stdout", "log/messages"):
            path = self.folder / name
            if path.exists():
                texts += path.read_text(errors="replace").splitlines()[-lines:]
        return "\n".join(texts)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
