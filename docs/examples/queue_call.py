"""Queue a call, then look at it. VOXGATE is the gateway's address, TOKEN a token with the scopes calls and read."""

import os
import sys

import msgspec

from voxgate import calls
from voxgate.client import Client, Refused

with Client(os.environ["VOXGATE"], token=os.environ["TOKEN"]) as voxgate:
    try:
        request = calls.create("+16175551234", "http://app.example/start.php", max_retries=2)
        queued = voxgate.ask(request, key="order-17-python")
    except Refused as refused:
        sys.exit(f"{refused.problem.field}: {refused.problem.rule}")
    print(msgspec.json.encode(voxgate.ask(calls.get(queued.id))).decode())
