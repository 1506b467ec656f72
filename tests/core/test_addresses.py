"""The SSRF guard's decision: an attack table."""

from __future__ import annotations

import pytest

from gateway.core.addresses import AllowList

PUBLIC = ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"]
PRIVATE = [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "0.0.0.0", "100.64.0.1", "169.254.1.1", "224.0.0.1", "::1", "::",
    "fe80::1", "fc00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1",
    "255.255.255.255", "fe80::1%eth0", "::7f00:1", "::a00:1", "fec0::1", "64:ff9b:1::7f00:1", "::ffff:0:7f00:1",
    "2001:0:102:304:0:0:80ff:fffe", "2001:db8::1", "3fff::1", "5f00::1", "1::1", "4000::1", "240.0.0.1", "198.18.0.1",
    "192.0.0.8", "192.88.99.1", "203.0.113.1",
]  # fmt: skip
METADATA = [
    "169.254.169.254", "::ffff:169.254.169.254", "fd00:ec2::254", "64:ff9b::a9fe:a9fe", "100.100.100.200",
    "168.63.129.16", "::a83f:8110", "2002:a83f:8110::1", "64:ff9b:1::a9fe:a9fe", "fd20:ce::254", "169.254.170.23",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_fetched_from(address: str) -> None:
    assert AllowList().refusal("host", address) is None


@pytest.mark.parametrize("address", PRIVATE)
def test_others_are_refused_naming_the_line_to_add(address: str) -> None:
    refusal = AllowList().refusal("host", address)
    assert refusal is not None
    assert "allow = [...] in [fetch]" in refusal


@pytest.mark.parametrize("address", METADATA)
def test_metadata_is_never_allowed(address: str) -> None:
    allow = AllowList.of(["0.0.0.0/0", "::/0", "host"])
    assert allow.refusal("host", address) is not None


def test_allow_lists_take_networks_and_hosts() -> None:
    assert AllowList.of(["10.0.0.0/8"]).refusal("x", "10.9.9.9") is None
    for host in ("app.local", "app.local.", "APP.LOCAL"):
        assert AllowList.of(["App.local"]).refusal(host, "192.168.1.1") is None
    assert AllowList.of(["::1/128"]).refusal("x", "::1") is None
    assert AllowList.of(["10.0.0.0/8"]).refusal("x", "::ffff:10.9.9.9") is None
