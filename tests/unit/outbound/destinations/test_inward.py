"""Requests do not go inside, however the way there is written, unless somebody allowed it."""

from __future__ import annotations

import ipaddress
import socket

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lakehouse.errors import Terminal
from lakehouse.outbound.destinations.inward import (
    PinnedTransport,
    PointsInwardError,
    allowed_hosts,
    check_url,
    is_allowed,
    is_inward,
    resolve,
)

PUBLIC = ("93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c")
INSIDE = (
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
    "100.100.100.200",     "192.0.0.192", "198.18.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1",
    "fe80::1%eth0", "fd00:ec2::254",     "::ffff:127.0.0.1",
    "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "::127.0.0.1", "ff02::1",
    "2001:db8::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "nonsense", "",
)  # fmt: skip
WRITTEN_OTHERWISE = (
    "http://127.0.0.1", "https://127.0.0.1", "https://2130706433", "https://0x7f000001", "https://0177.0.0.1",
    "https://127.1", "https://[::1]", "https://[::ffff:127.0.0.1]", "https://169.254.169.254/latest/meta-data",
    "https://2852039166", "https://localhost", "https://LOCALHOST.", "https://api.localhost", "https://10.0.0.8:8443",
)  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_inside(address):
    """Loopback, private, link-local, shared, IPv4 in IPv6's clothes; also what is no address."""
    assert is_inward(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_outside(address):
    """The public internet's."""
    assert not is_inward(address)


@given(st.ip_addresses(v=4))
def test_no_form_of_an_address_is_judged_otherwise(address):
    """The rule: an IPv4 address is inside or not, mapped, translated or tunnelled all the same."""
    number = int(address)
    forms = (
        f"::ffff:{address}",
        str(ipaddress.IPv6Address((0x64FF9B << 96) | number)),
        str(ipaddress.IPv6Address((0x2002 << 112) | (number << 80))),
    )
    assert {is_inward(form) for form in forms} == {is_inward(str(address))}


@pytest.mark.parametrize("url", WRITTEN_OTHERWISE)
def test_a_url_that_points_inward_by_its_looks_names_the_file(url):
    """Before a name is resolved or anything sent."""
    with pytest.raises(Terminal, match=r"destinations/crm\.yaml: url: .*LAKEHOUSE_INWARD_HOSTS"):
        check_url(url, frozenset(), "destinations/crm.yaml")


def test_what_leaves_the_network_is_encrypted():
    """Tokens are not sent in the clear."""
    with pytest.raises(Terminal, match="only https"):
        check_url("http://crm.example.com", frozenset(), "x")
    check_url("https://crm.example.com", frozenset(), "x")


@pytest.mark.parametrize(
    ("setting", "url", "is_meant"),
    [
        ("", "http://crm.internal", False),
        ("crm.internal", "http://crm.internal/x", True),
        (" CRM.internal , other", "http://crm.internal:8080", True),
        ("crm.internal:8080", "http://crm.internal:8080", True),
        ("crm.internal:8080", "http://crm.internal:9", False),
        ("crm.internal:443", "https://crm.internal", True),
        ("internal", "http://crm.internal", False),
        ("::1", "http://[::1]:8080", True),
        ("*", "http://127.0.0.1:1", True),
        (",", "http://127.0.0.1:1", False),
    ],
)
def test_hosts_inside_are_allowed_by_name(setting, url, is_meant):
    """Exactly those that the setting names."""
    assert is_allowed(url, allowed_hosts(setting)) is is_meant


class Inner(httpx.BaseTransport):
    """Notes where it was asked to connect; refuses the addresses of `dead`."""

    def __init__(self, dead=()):
        self.asked, self.dead = [], dead

    def handle_request(self, request):
        self.asked.append((request.url.host, request.headers["Host"], request.extensions.get("sni_hostname")))
        if request.url.host in self.dead:
            raise httpx.ConnectError("refused")
        return httpx.Response(200)


def _get(transport, url="https://crm.example.com/x"):
    with httpx.Client(transport=transport, trust_env=False) as client:
        return client.get(url)


@pytest.mark.parametrize("addresses", [["127.0.0.1"], [PUBLIC[0], "10.0.0.1"], ["fd00::1", PUBLIC[0]]])
def test_a_name_that_leads_inside_is_not_called(addresses):
    """By any of its addresses: a mixed answer is somebody's trick."""
    inner = Inner()
    with pytest.raises(PointsInwardError, match="nothing was sent"):
        _get(PinnedTransport(inner, frozenset(), "x", lambda *_: addresses))
    assert inner.asked == []


def test_a_name_is_resolved_once_and_that_address_is_called():
    """Rebinding: the second answer of a name that changes its mind is never asked for."""
    answers = [[PUBLIC[0]], ["127.0.0.1"]]
    inner = Inner()
    _get(PinnedTransport(inner, frozenset(), "x", lambda *_: answers.pop(0)))
    assert inner.asked == [(PUBLIC[0], "crm.example.com", "crm.example.com")]
    assert answers == [["127.0.0.1"]]


def test_where_one_address_is_dead_the_next_is_called():
    """A host with IPv6 is reached from where there is none."""
    inner = Inner(dead={PUBLIC[1]})
    assert _get(PinnedTransport(inner, frozenset(), "x", lambda *_: PUBLIC[::-1])).status_code == 200
    assert [host for host, *_ in inner.asked] == [PUBLIC[1], PUBLIC[0]]


def test_a_name_without_an_address_is_no_connection(monkeypatch):
    """So that the chunk goes again."""

    def nothing(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nothing)
    with pytest.raises(httpx.ConnectError):
        resolve("crm.example.com", 443)
