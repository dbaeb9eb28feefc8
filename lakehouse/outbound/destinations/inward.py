"""Keeps requests from addresses that point inward: loopback, private networks, a cloud's metadata service.

A name is resolved once for each request, every address that it has is looked at, and the connection goes to one of
those that were looked at: a name that resolves to something else a moment later (rebinding) leads nowhere. Numbers
written otherwise (`2130706433`, `0x7f.1`) are resolved as the system does it, and then looked at like any address.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httpx

from lakehouse.errors import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

ANY_HOST: Final = "*"
_PORTS: Final = {"http": 80, "https": 443}
# IPv6 addresses that carry an IPv4 address in their last 32 bits: NAT64 and the old "compatible" form.
_CARRIERS: Final = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("::/96"))
# What Python, by its version, may call global, and nobody has business with: 192.0.0.192 is a cloud's metadata service.
_NOBODYS: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "192.0.0.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "240.0.0.0/4",
        "fec0::/10",
        "3fff::/20",
    )
)
_LAST_32_BITS: Final = 0xFFFFFFFF


class PointsInwardError(Terminal):
    """A URL leads to an address inside; nothing was sent."""


def is_inward(address: str) -> bool:
    """Return whether an IP address is not one of the public internet's; also what is no address is."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return True
    if isinstance(found, ipaddress.IPv6Address):
        carried = found.ipv4_mapped or found.sixtofour
        if any(found in network for network in _CARRIERS):
            carried = ipaddress.IPv4Address(int(found) & _LAST_32_BITS)
        if found.teredo is not None:
            return True
        if carried is not None:
            return is_inward(str(carried))
    is_nobodys = any(found in network for network in _NOBODYS)
    return is_nobodys or not found.is_global or found.is_multicast or found.is_reserved


def allowed_hosts(setting: str) -> frozenset[str]:
    """Return the hosts, `name` or `name:port`, that the setting `inward_hosts` allows."""
    return frozenset(host.strip().lower() for host in setting.split(",") if host.strip())


def is_allowed(url: str, allowed: Collection[str]) -> bool:
    """Return whether a URL's host may be inside, because somebody said so."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    named = {host, f"{host}:{parts.port or _PORTS.get(parts.scheme, 0)}", ANY_HOST}
    return not named.isdisjoint(allowed)


def check_url(url: str, allowed: Collection[str], where: str) -> None:
    """Raise PointsInwardError for a URL that points inward by its looks, and Terminal for one that is not encrypted.

    Names are resolved only when something is sent. `where`: the file that the URL stands in.
    """
    if is_allowed(url, allowed):
        return
    parts = urlsplit(url)
    if parts.scheme != "https":
        raise Terminal(f"{where}: url: only https:// leaves the network. {_HOW_TO_ALLOW}")
    host = (parts.hostname or "").rstrip(".")
    if host == "localhost" or host.endswith(".localhost") or _number(host):
        raise PointsInwardError(f"{where}: url: {host} points inward; nothing was sent. {_HOW_TO_ALLOW}")


def _number(host: str) -> bool:
    """Return whether a host is an address inside, however its number is written."""
    try:
        return is_inward(str(ipaddress.ip_address(host)))
    except ValueError:
        pass
    try:
        return is_inward(socket.inet_ntoa(socket.inet_aton(host)))
    except (OSError, ValueError):
        return False


_HOW_TO_ALLOW = "Where it is meant to be inside, name the host in the setting LAKEHOUSE_INWARD_HOSTS"


def resolve(host: str, port: int) -> list[str]:
    """Return all addresses of a host, as the system orders them; httpx.ConnectError where it has none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpx.ConnectError(f"the name does not resolve ({type(error).__name__})") from None
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class PinnedTransport(httpx.BaseTransport):
    """Sends each request to an address that was looked at; certificates are checked for the name all the same."""

    def __init__(
        self,
        inner: httpx.BaseTransport,
        allowed: Collection[str],
        where: str,
        resolver: Callable[[str, int], Sequence[str]] = resolve,
    ) -> None:
        self._inner = inner
        self._allowed = allowed
        self._where = where
        self._resolver = resolver

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; PointsInwardError, and nothing leaves, where any address of its host is inside."""
        host = request.url.host
        port = request.url.port or _PORTS[request.url.scheme]
        addresses = self._resolver(host, port)
        check_url(str(request.url), self._allowed, self._where)
        if not is_allowed(str(request.url), self._allowed) and any(map(is_inward, addresses)):
            raise PointsInwardError(
                f"{self._where}: url: {host} leads to an address inside; nothing was sent. {_HOW_TO_ALLOW}"
            )
        request.extensions = {**request.extensions, "sni_hostname": host}
        failure: httpx.TransportError = httpx.ConnectError("the name has no address")
        for address in addresses:
            request.url = request.url.copy_with(host=address)
            try:
                return self._inner.handle_request(request)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = error
        raise failure

    def close(self) -> None:
        """Close the connections."""
        self._inner.close()
