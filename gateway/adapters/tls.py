"""TLS for the HTTP listener, renewed while it serves, and for the link to Asterisk."""

from __future__ import annotations

import ssl


class TlsRefused(Exception):
    """A certificate or key that cannot be used; the message names the file."""


def server_context(certificate: str, key: str) -> ssl.SSLContext:
    """A context for a listener. Raises :class:`TlsRefused`."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    _load(context, certificate, key)
    return context


def renew(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """Let new connections have a new certificate; those that are open go on. Raises :class:`TlsRefused`."""
    server_context(certificate, key)  # a bad one must not spoil the context in use
    _load(context, certificate, key)


def _load(context: ssl.SSLContext, certificate: str, key: str) -> None:
    try:
        context.load_cert_chain(certificate, key or None)
    except (OSError, ssl.SSLError) as error:
        raise TlsRefused(
            f"[server] certificate {certificate} and key {key or certificate} cannot be used: {error}; both must be "
            "PEM files that belong together, and that the gateway's user may read"
        ) from None


def client_context(ca: str) -> ssl.SSLContext:
    """A context for a link to a server whose certificate ``ca`` (a PEM file; empty: the system's) vouches for.

    Raises :class:`TlsRefused`.
    """
    try:
        context = ssl.create_default_context(cafile=ca or None)
    except (OSError, ssl.SSLError) as error:
        raise TlsRefused(f"[ami] ca {ca} cannot be used: {error}; it must be a PEM file of certificates") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
