"""TLS between clients and replicas: a replica has a certificate that the worker made, and clients trust it alone.

What passes through here are plain sockets: one end of a pair for whoever reads and writes, and behind it an event loop
that does the encrypting, one thread for all connections of a process.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import tempfile
import threading
from collections.abc import Coroutine
from functools import lru_cache
from typing import Any

# The name in the certificates of replicas.
REPLICA = "replica.operator-lib.internal"
# Seconds for the two sides to agree.
HANDSHAKE = 10.0
_READ = 1 << 18


def certificate_of(pem: str) -> str:
    """The certificate alone, of a PEM text with its key."""
    begin = pem.find("-----BEGIN CERTIFICATE-----")
    return pem[begin:] if begin >= 0 else ""


def self_signed() -> str:
    """A certificate and its key in PEM that nobody has signed: clients get the certificate from the worker, over its
    own TLS, and trust it alone."""
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, REPLICA)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(REPLICA)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return (private + made.public_bytes(serialization.Encoding.PEM)).decode()


@lru_cache(maxsize=64)
def client_context(certificate: str) -> ssl.SSLContext:
    """Trusts that certificate and no other."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cadata=certificate)
    return context


@lru_cache(maxsize=1)
def server_context(pem: str) -> ssl.SSLContext:
    """For a replica with that key and certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    handle, path = tempfile.mkstemp()  # ssl takes keys from files only; nobody else may read this one
    try:
        with os.fdopen(handle, "w") as file:
            file.write(pem)
        context.load_cert_chain(path)
    finally:
        os.unlink(path)
    return context


def secured(connected: socket.socket, context: ssl.SSLContext, *, server: bool) -> socket.socket:
    """The plain end of an encrypted connection; `connected` goes with it.

    Raises:
        OSError: the other side shows another certificate, or does not speak TLS.
    """
    near, far = socket.socketpair()
    try:
        made = _run(_join(connected, far, context, server))
        made.result(HANDSHAKE + 1)
    except BaseException as error:
        for each in (near, far, connected):
            each.close()
        if isinstance(error, TimeoutError):
            raise OSError("TLS: the other side does not answer") from None
        raise
    return near


async def _join(connected: socket.socket, far: socket.socket, context: ssl.SSLContext, server: bool) -> None:
    """Agree with the other side; from then on pass on both ways what comes."""
    loop = asyncio.get_running_loop()
    connected.setblocking(False)
    reader = asyncio.StreamReader(_READ, loop)
    protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
    if server:
        transport, _ = await loop.connect_accepted_socket(
            lambda: protocol, connected, ssl=context, ssl_handshake_timeout=HANDSHAKE
        )
    else:
        transport, _ = await loop.create_connection(
            lambda: protocol, sock=connected, ssl=context, server_hostname=REPLICA, ssl_handshake_timeout=HANDSHAKE
        )
    writer = asyncio.StreamWriter(transport, protocol, reader, loop)
    inside, outside = await asyncio.open_connection(sock=far, limit=_READ)
    _keep(asyncio.gather(_pass_on(reader, outside), _pass_on(inside, writer)))


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until either end is closed; then close the other."""
    with contextlib.suppress(OSError):
        while data := await reader.read(_READ):
            writer.write(data)
            await writer.drain()
    writer.close()


# The loop, of this process.
_loop: asyncio.AbstractEventLoop | None = None
_lock = threading.Lock()
_going: set[asyncio.Future[Any]] = set()


def _run(work: Coroutine[Any, Any, None]) -> Any:
    global _loop
    with _lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_loop.run_forever, name="tls", daemon=True).start()
    return asyncio.run_coroutine_threadsafe(work, _loop)


def _keep(future: asyncio.Future[Any]) -> None:
    """The loop itself remembers tasks only weakly."""
    _going.add(future)
    future.add_done_callback(_going.discard)


def _forget() -> None:
    """A forked child has no such thread."""
    global _loop, _lock
    _loop, _lock = None, threading.Lock()
    _going.clear()


os.register_at_fork(after_in_child=_forget)
