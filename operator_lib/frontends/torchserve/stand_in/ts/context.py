"""`Context`: for annotations of handlers."""

from operator_lib.frontends.torchserve.context import HandlerContext as Context
from operator_lib.frontends.torchserve.context import Request as RequestProcessor

__all__ = ["Context", "RequestProcessor"]
