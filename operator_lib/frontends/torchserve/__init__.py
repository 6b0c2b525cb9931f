"""Workflows and models of TorchServe as operators: their archives, specifications and handlers, unchanged.

See docs/guides/moving-from-torchserve.md.
"""

from operator_lib.frontends.torchserve.model import Model as Model
from operator_lib.frontends.torchserve.problems import HandlerError as HandlerError
from operator_lib.frontends.torchserve.problems import InvalidArchive as InvalidArchive
from operator_lib.frontends.torchserve.problems import InvalidWorkflow as InvalidWorkflow
from operator_lib.frontends.torchserve.problems import Problem as Problem
from operator_lib.frontends.torchserve.specification import Setting as Setting
from operator_lib.frontends.torchserve.specification import Specification as Specification
from operator_lib.frontends.torchserve.unpack import Limits as Limits
from operator_lib.frontends.torchserve.values import Form as Form
from operator_lib.frontends.torchserve.workflow import Workflow as Workflow

__all__ = [
    "Form",
    "HandlerError",
    "InvalidArchive",
    "InvalidWorkflow",
    "Limits",
    "Model",
    "Problem",
    "Setting",
    "Specification",
    "Workflow",
]
