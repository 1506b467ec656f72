"""The lab and the gateway stay up until Ctrl-C: for trying things by hand and with softphones."""

from __future__ import annotations

import argparse
import signal
import threading

from lab.application import SampleApplication
from lab.gateway import LOGIN, PIN, GatewayProcess
from lab.lab import Lab


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: make lab BIND=192.168.1.10")
    parser.add_argument("--bind", default="127.0.0.1", help="the address at which phones may register")
    bind = parser.parse_args().bind
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    with Lab(bind=bind) as lab, SampleApplication() as application:
        gateway = GatewayProcess(lab)
        gateway.add_account()
        gateway.start()
        try:
            print(_help(lab, gateway, application), flush=True)
            done.wait()
        finally:
            gateway.stop()


def _help(lab: Lab, gateway: GatewayProcess, application: SampleApplication) -> str:
    numbers = "\n".join(
        f"  {line.number}  {line.behaviour.words}" for line in sorted(lab.plan.lines, key=lambda one: one.behaviour.key)
    )
    phones = "\n".join(
        f"  extension 90{n}: register voxgate-phone{n} at {lab.bind}:{lab.sip_port} (UDP), password {secret}"
        for n, secret in enumerate(lab.phone_secrets, 1)
    )
    return f"""
The lab is up. Numbers drawn from seed {lab.plan.seed}:
{numbers}

Softphones:
{phones}

Queue a call (901 rings the first softphone):
  curl -d login={LOGIN} -d pin={PIN} -d phone_number=901 -d start_url={application.start_url} \\
       {gateway.base}/webservice/queuecall.php

Look: voxgate calls list --config {gateway.config}
Log:  {gateway.log}
Ctrl-C ends it all."""


if __name__ == "__main__":
    main()
