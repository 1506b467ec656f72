"""Queue many calls and hear of them. VOXGATE is the gateway's address, TOKEN a token with the scopes calls and read."""

import asyncio
import os

from voxgate import calls, system
from voxgate.client import AsyncClient


async def main() -> None:
    async with AsyncClient(os.environ["VOXGATE"], token=os.environ["TOKEN"]) as voxgate:
        numbers = [f"+1617555{number:04d}" for number in range(100)]
        wanted = [{"phone_number": number, "start_url": "http://app.example/start.php"} for number in numbers]
        waiting = set()
        async for line in voxgate.lines(calls.create_many(wanted), key="batch-17"):
            if line.id is None:
                print(f"line {line.line}: {line.field} {line.rule}")
            else:
                waiting.add(line.id)
        async for event in voxgate.events(system.events(kinds="call.queued", after=0)):
            waiting.discard(event.data.get("call_id"))
            if not waiting:
                break
    print("all are queued")


asyncio.run(main())
