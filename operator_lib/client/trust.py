"""Encrypted connections to workers: which certificates are trusted, over gRPC and over HTTPS alike."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from operator_lib import endpoint

# Names a file with certificates in PEM that are trusted instead of the public ones.
CA = "OPERATOR_LIB_CA"


@dataclass(frozen=True, slots=True)
class Trust:
    """`roots`: a file with certificates in PEM; empty: the public ones. `name`: whom the certificate has to be for;
    empty: the host that is spoken to."""

    roots: str = ""
    name: str = ""


def of_local(here: endpoint.Endpoint | None) -> Trust | None:
    """For a worker of this machine: its own certificate, which its home names. None: it does not encrypt."""
    return Trust(here.certificate, here.certificate_name) if here is not None and here.certificate else None


def of_url(url: str) -> Trust | None:
    """For the worker behind a URL. None: nothing is encrypted."""
    if not url.startswith("https://"):
        return None
    here = endpoint.last(endpoint.home_folder())
    known = here is not None and urlsplit(url)[:2] == urlsplit(here.url)[:2]
    return (of_local(here) if known else None) or Trust(os.environ.get(CA, ""))


def channel(address: str, trust: Trust | None, options: list[tuple[str, Any]]) -> Any:
    """A gRPC channel.

    Raises:
        ConnectionError: the file with certificates cannot be read.
    """
    import grpc

    if trust is None:
        return grpc.insecure_channel(address, options)
    credentials = grpc.ssl_channel_credentials(_read(_roots(trust)))
    named = [("grpc.ssl_target_name_override", trust.name)] if trust.name else []
    return grpc.secure_channel(address, credentials, [*options, *named])


def session(trust: Trust | None) -> Any:
    """A session of requests with a worker; a proxy is no way to it."""
    import requests
    from requests.adapters import HTTPAdapter

    made = requests.Session()
    made.trust_env = False
    if trust is not None:
        made.verify = _roots(trust)
        if trust.name:
            adapter = HTTPAdapter()
            adapter.init_poolmanager(10, 10, assert_hostname=trust.name)
            made.mount("https://", adapter)
    return made


def _roots(trust: Trust) -> str:
    from requests.utils import DEFAULT_CA_BUNDLE_PATH

    return trust.roots or DEFAULT_CA_BUNDLE_PATH


def _read(file: str) -> bytes:
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise ConnectionError(f"the certificates in {file} ({CA}) cannot be read: {error.strerror}") from None
