"""Bodies that are no JSON, passed on to the replica while they come: raw bytes, and forms with files."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any

from starlette.types import Receive

from operator_lib.wire.proto.line_pb2 import Asked
from operator_lib.worker.http.arguments import Arguments
from operator_lib.worker.http.body import BODY_LIMIT, check_length, is_json, parse, too_large
from operator_lib.worker.http.errors import Refusal
from operator_lib.worker.http.exchange import Exchange
from operator_lib.worker.http.head import Head
from operator_lib.worker.http.incoming import chunks

if TYPE_CHECKING:
    from operator_lib.worker.http.forms import Field

# Bytes of a body with raw bytes or files.
FILES_LIMIT = 512 << 20
FORM = "multipart/form-data"


class Files:
    """The body of one request.

    Raises:
        Refusal: 413 and 415, as far as its headers say so.
    """

    def __init__(self, head: Head, receive: Receive, arguments: Arguments | None) -> None:
        self._receive = receive
        self._arguments = arguments
        self._header = head.media
        self._media = self._header.partition(";")[0].strip().lower()
        self._size = 0
        self._names: set[str] = set()  # of arguments that come as files
        first = arguments.first if arguments is not None else None
        if self._media != FORM and arguments is not None and (first is None or first.name not in arguments.files):
            raise Refusal(415, "UnsupportedMediaType", f"the body must be application/json, not {self._media!r:.80}")
        check_length(head.length, FILES_LIMIT)

    async def send(self, exchange: Exchange) -> bytes:
        """Pass it on; the JSON of the arguments that are no files.

        Raises:
            Refusal: 400, 408, 413, 422. CallerGone.
        """
        values = await (self._form(exchange) if self._media == FORM else self._raw(exchange))
        if self._arguments is not None:
            self._arguments.check_fields(values, self._names)
        return json.dumps(values).encode()

    async def _raw(self, exchange: Exchange) -> dict[str, Any]:
        first = self._arguments.first if self._arguments is not None else None
        name = first.name if first is not None else ""
        self._names.add(name)
        exchange.line.send(Asked(id=exchange.id, ask=Asked.FIELD, name=name, media=self._media))
        async for chunk in self._chunks():
            await self._part(exchange, chunk)
        return {}

    async def _chunks(self) -> AsyncGenerator[bytes]:
        async for chunk in chunks(self._receive):
            self._size += len(chunk)
            if self._size > FILES_LIMIT:
                raise too_large(FILES_LIMIT)
            yield chunk

    async def _part(self, exchange: Exchange, data: bytes) -> None:
        exchange.line.send(Asked(id=exchange.id, ask=Asked.PART, payload=data))
        await exchange.line.room()

    async def _form(self, exchange: Exchange) -> dict[str, Any]:
        from operator_lib.worker.http.forms import Field, Form  # the parser is loaded with the first form

        form, values = Form(self._header), dict[str, Any]()
        text, texts = bytearray(), 0
        field: Field | None = None
        async for chunk in self._chunks():
            for found in form.feed(chunk):
                if isinstance(found, Field):
                    self._take(values, field, text)
                    field, text = found, bytearray()
                    if found.file is not None:
                        self._names.add(found.name)
                        about = Asked(id=exchange.id, ask=Asked.FIELD, name=found.name, media=found.media)
                        about.file = found.file[-255:]
                        exchange.line.send(about)
                elif field is not None and field.file is not None:
                    await self._part(exchange, found)
                else:
                    text += found
                    texts += len(found)
                    if texts > BODY_LIMIT:
                        raise too_large(BODY_LIMIT)
        form.end()
        self._take(values, field, text)
        return values

    def _take(self, values: dict[str, Any], field: Field | None, text: bytearray) -> None:
        """A field that is no file has ended. One that comes again makes a list."""
        if field is None or field.file is not None:
            return
        value = self._read(field, bytes(text))
        if field.name in values:
            before = values[field.name]
            value = [*before, value] if isinstance(before, list) else [before, value]
        values[field.name] = value

    def _read(self, field: Field, data: bytes) -> Any:
        """JSON, unless it can only be text, or is none."""
        if field.media and is_json(field.media):
            return parse(data)
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            raise Refusal(400, "InvalidForm", f"the field {field.name!r:.80} is not UTF-8") from None
        if self._arguments is not None and self._arguments.takes_text(field.name):
            return text
        try:
            return parse(data)
        except Refusal:
            return text
