"""How long the gateway's own certificate is good for."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime

from gateway.adapters.tls import TlsRefused, server_context
from gateway.cli.doctor import troubles
from gateway.cli.doctor.finding import Finding, good
from gateway.cli.doctor.host import Host
from gateway.settings import Config

#: Certificates of 90 days are renewed with a third of their time left; two weeks later somebody must look.
ENOUGH_DAYS = 14
DAY = 86_400
#: X509_V_ERR_CERT_HAS_EXPIRED, of OpenSSL.
EXPIRED = 10


def examine_certificate(config: Config, host: Host) -> list[Finding]:
    """Of [server] certificate, where there is one."""
    server = config.server
    if not server.certificate:
        return []
    try:
        ends = _end(server.certificate, server.key)
    except TlsRefused as error:
        return [troubles.CERTIFICATE_UNUSABLE.found(error=error)]
    return [judged(f"the certificate {server.certificate}", ends, host)]


def judged(what: str, ends: float | None, host: Host) -> Finding:
    """A certificate that ends at ``ends``, Unix time; None has ended."""
    if ends is None or ends <= host.now():
        return troubles.CERTIFICATE.found(what=what, when="has ended")
    day = datetime.fromtimestamp(ends, UTC).strftime("%Y-%m-%d")
    if ends - host.now() < ENOUGH_DAYS * DAY:
        return troubles.CERTIFICATE.found(what=what, when=f"ends on {day}")
    return good(f"{what} is good until {day}")


def _end(certificate: str, key: str) -> float | None:
    """Unix time; None where it has ended. Python reads a certificate only in a handshake: this one is in memory.

    Raises :class:`TlsRefused`.
    """
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # it vouches for itself here
    context = server_context(certificate, key)
    client.load_verify_locations(certificate)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    near, far = client.wrap_bio(back, there), context.wrap_bio(there, back, server_side=True)
    for _ in range(4):
        for side in (near, far):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLCertVerificationError as error:
                if error.verify_code == EXPIRED:
                    return None
                raise TlsRefused(f"{certificate}: {error.verify_message}") from None
    found = near.getpeercert() or {}
    return float(ssl.cert_time_to_seconds(str(found["notAfter"])))
