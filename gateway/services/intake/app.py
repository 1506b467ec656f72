"""The HTTP applications: the Plum service for clients, and the JSON API on the Unix socket for our own commands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import structlog
from aiohttp import web

from gateway.core.lockout import Locked
from gateway.core.model import Account
from gateway.core.plum import (
    QUEUECALL,
    QUEUECALLS,
    FieldError,
    Submission,
    campaign_reply,
    failed_reply,
    queued_reply,
    read_submission,
)
from gateway.ports import StoreError
from gateway.services.audit import Audit
from gateway.services.intake.desk import Desk
from gateway.services.intake.form import Form, FormError, new_spool_file, read_form
from gateway.services.intake.logins import Logins

log = structlog.get_logger()

PATHS = ("/webservice", "/outbound/webservice")


@dataclass(frozen=True, slots=True)
class AppSettings:
    spool: Path
    max_body: int
    echo_pin: bool = False


class PlumService:
    """Both endpoints. Whatever is refused answers HTTP 200 with ``status="failed"``, as clients expect."""

    def __init__(self, desk: Desk, logins: Logins, audit: Audit, settings: AppSettings) -> None:
        self._desk = desk
        self._audit = audit
        self._logins = logins
        self._settings = settings

    async def queuecall(self, request: web.Request) -> web.Response:
        return await self._serve(request, QUEUECALL)

    async def queuecalls(self, request: web.Request) -> web.Response:
        return await self._serve(request, QUEUECALLS)

    async def _serve(self, request: web.Request, endpoint: str) -> web.Response:
        form: Form | None = None
        values: dict[str, str] = {}
        echo = self._settings.echo_pin
        try:
            form = await read_form(request, self._settings.spool)
            if form.upload is None:
                form.fields = self._plain_list(form, endpoint)
            values = {name: value for name, value in form.fields if name != "phone_list"}
            reply = await self._answer(endpoint, form, request.remote or "")
        except FieldError as error:
            reply = failed_reply(endpoint, str(error), values, echo_pin=echo)
        except FormError as error:
            reply = failed_reply(endpoint, str(error))
        except web.HTTPRequestEntityTooLarge:
            reply = failed_reply(endpoint, f"the body is larger than {self._settings.max_body} bytes")
        except StoreError as error:
            log.error("intake.store", error=str(error))
            reply = failed_reply(endpoint, "the queue cannot be written now; nothing was queued: try again later")
        except (ConnectionError, TimeoutError):
            raise
        except Exception:
            log.exception("intake.failed")
            reply = failed_reply(endpoint, "an internal error; nothing was queued")
        finally:
            if form is not None:
                form.close()
        return web.Response(body=reply, content_type="text/xml", charset="UTF-8")

    async def _answer(self, endpoint: str, form: Form, address: str) -> bytes:
        fields = [
            (name, value or "-" if name == "phone_list" and form.upload else value) for name, value in form.fields
        ]
        submission = read_submission(endpoint, fields)
        account = await self._account(submission, address)
        echo = self._settings.echo_pin
        if endpoint == QUEUECALL:
            return queued_reply(submission, await self._desk.queue_call(account, submission), echo_pin=echo)
        assert form.upload is not None
        load = await self._desk.queue_list(account, submission, form.upload)
        assert load.campaign is not None
        await self._audit.note(account.login, "campaign.load", f"campaign {load.campaign}", account.id, load.name)
        return campaign_reply(submission, load.campaign, load.queued, load.rejected, load.first_rejected, echo_pin=echo)

    async def _account(self, submission: Submission, address: str) -> Account:
        match await self._logins.admit(submission.values["login"], submission.values["pin"], address):
            case Locked(wait):
                raise FieldError("login", f"or pin was wrong too often: try again in {wait} s")
            case None:
                raise FieldError("login", "or pin is wrong")
            case account:
                return account

    def _plain_list(self, form: Form, endpoint: str) -> list[tuple[str, str]]:
        """A phone_list that came as text: numbers, or PHP 7's literal @path."""
        for name, value in form.fields:
            if name != "phone_list" or endpoint != QUEUECALLS or not value.strip():
                continue
            if value.lstrip().startswith("@"):
                raise FieldError(
                    "phone_list",
                    f"is the text {value.strip()[:60]!r}, not a file: PHP 7 and later do not upload @path; "
                    "use new CURLFile(path), or curl -F phone_list=@path",
                )
            with new_spool_file(self._settings.spool) as file:
                form.upload = Path(file.name)
                file.write(value.encode())
            break  # a second one is refused as given twice
        return form.fields


def build_app(
    desk: Desk, logins: Logins, audit: Audit, settings: AppSettings, ready: Callable[[], dict[str, bool]]
) -> web.Application:
    """The application on TCP."""
    service = PlumService(desk, logins, audit, settings)
    app = web.Application(client_max_size=settings.max_body)
    for base in PATHS:
        app.router.add_post(f"{base}/queuecall.php", service.queuecall)
        app.router.add_post(f"{base}/queuecalls.php", service.queuecalls)

    async def healthz(request: web.Request) -> web.Response:
        return web.json_response({"ok": True})

    async def readyz(request: web.Request) -> web.Response:
        checks = ready()
        return web.json_response(checks, status=200 if all(checks.values()) else 503)

    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    return app
