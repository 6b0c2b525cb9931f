"""TorchServe's REST interface for workflows: register, list, describe, remove, predict."""

from operator_lib.worker.http.torchserve.document import endpoints as endpoints
from operator_lib.worker.http.torchserve.routes import routes as routes
