"""TLS of a worker: its own certificate on the ports that it is known by."""

from __future__ import annotations

import datetime
import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate with its chain and its key, in PEM; where it was read from; the names it is for."""

    chain: bytes
    key: bytes
    chain_file: str
    key_file: str
    names: tuple[str, ...]


def read(chain_file: str, key_file: str) -> Certificate:
    """The certificate of a worker.

    Raises:
        ValueError: a file cannot be read, is no PEM, they do not belong together, or it is out of date.
    """
    try:
        chain, key = Path(chain_file).read_bytes(), Path(key_file).read_bytes()
    except OSError as error:
        raise ValueError(f"TLS: {error.filename} cannot be read: {error.strerror}") from None
    try:
        found = x509.load_pem_x509_certificate(chain)
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(chain_file, key_file, password="")
    except (ValueError, OSError) as error:  # ssl.SSLError is one
        why = f"{chain_file} and {key_file} are not a PEM certificate and its key, without a password"
        raise ValueError(f"TLS: {why}: {error}") from None
    now = datetime.datetime.now(datetime.UTC)
    if not found.not_valid_before_utc <= now <= found.not_valid_after_utc:
        raise ValueError(f"TLS: {chain_file} is valid from {found.not_valid_before_utc} to {found.not_valid_after_utc}")
    names = _names(found)
    if not names:
        raise ValueError(f"TLS: {chain_file} names no host; it needs a subjectAltName")
    return Certificate(chain, key, str(Path(chain_file).resolve()), str(Path(key_file).resolve()), names)


def _names(found: x509.Certificate) -> tuple[str, ...]:
    """The hosts that it is for, as they stand in it."""
    try:
        listed = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    addresses = listed.get_values_for_type(x509.IPAddress)
    return (*listed.get_values_for_type(x509.DNSName), *(str(address) for address in addresses))


def covers(names: tuple[str, ...], host: str) -> bool:
    """Whether a certificate with these names is good for a host (RFC 6125: a wildcard stands for one label)."""
    try:
        return str(ip_address(host.strip("[]"))) in names
    except ValueError:
        return any(n == host or (n.startswith("*.") and n[1:] == host[host.find(".") :] != "") for n in names)
