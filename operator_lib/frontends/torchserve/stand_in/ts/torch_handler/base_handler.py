"""`BaseHandler`: loads the model of an archive, and answers in three steps."""

from __future__ import annotations

import importlib
import os
from typing import Any

from ts.utils.util import list_classes_from_module, load_label_mapping

torch: Any = importlib.import_module("torch")


class BaseHandler:
    """Subclasses override `preprocess`, `inference` and `postprocess`."""

    def __init__(self) -> None:
        self.model: Any = None
        self.mapping: dict[str, str] | None = None
        self.device: Any = None
        self.initialized = False
        self.context: Any = None
        self.model_pt_path: str | None = None
        self.manifest: Any = None
        self.map_location: str | None = None
        self.explain = False
        self.target = 0

    def initialize(self, context: Any) -> None:
        """Load weights: a state for the class in the model file, else TorchScript, else an ONNX file."""
        properties = context.system_properties
        self.context = context
        self.model_yaml_config = context.model_yaml_config
        self.manifest = context.manifest
        gpu = properties.get("gpu_id") if torch.cuda.is_available() else None
        self.map_location = "cpu" if gpu is None else "cuda"
        self.device = torch.device(self.map_location if gpu is None else f"cuda:{gpu}")
        folder, said = properties["model_dir"], self.manifest["model"]
        weights = said.get("serializedFile")
        self.model_pt_path = os.path.join(folder, weights) if weights else None
        if said.get("modelFile"):
            self.model = self._load_pickled_model(folder, said["modelFile"], self.model_pt_path)
            self.model.to(self.device)
            self.model.eval()
        elif self.model_pt_path and self.model_pt_path.endswith(".pt"):
            self.model = self._load_torchscript_model(self.model_pt_path)
            self.model.eval()
        elif self.model_pt_path and self.model_pt_path.endswith(".onnx"):
            runtime: Any = importlib.import_module("onnxruntime")
            providers = [*(["CUDAExecutionProvider"] if gpu is not None else []), "CPUExecutionProvider"]
            self.model = runtime.InferenceSession(self.model_pt_path, providers=providers)
        else:
            raise RuntimeError("the archive has no weights that can be loaded: a model file, a .pt or an .onnx file")
        self._compile()
        self.mapping = load_label_mapping(os.path.join(folder, "index_to_name.json"))
        self.initialized = True

    def _load_torchscript_model(self, model_pt_path: str) -> Any:
        return torch.jit.load(model_pt_path, map_location=self.device)

    def _load_pickled_model(self, model_dir: str, model_file: str, model_pt_path: str | None) -> Any:
        if not os.path.isfile(os.path.join(model_dir, model_file)):
            raise RuntimeError(f"the archive lacks the model file {model_file}")
        classes = list_classes_from_module(importlib.import_module(model_file.split(".")[0]))
        if len(classes) != 1:
            names = ", ".join(cls.__name__ for cls in classes) or "none"
            raise ValueError(f"{model_file} must define exactly one class; it defines {names}")
        model: Any = classes[0]()
        if model_pt_path:
            model.load_state_dict(torch.load(model_pt_path, map_location=self.device))
        return model

    def _compile(self) -> None:
        """As ``pt2: {compile: {enable: true, ...}}`` of the configuration says."""
        pt2: Any = (self.model_yaml_config or {}).get("pt2")
        said: Any = pt2.get("compile") if isinstance(pt2, dict) else None
        if isinstance(said, dict) and said.get("enable"):
            self.model = torch.compile(self.model, **{name: value for name, value in said.items() if name != "enable"})

    def preprocess(self, data: Any) -> Any:
        """Rows to a tensor."""
        return torch.as_tensor(data, device=self.device)

    def inference(self, data: Any, *args: Any, **kwargs: Any) -> Any:
        """The model's output."""
        with torch.inference_mode():
            return self.model(data.to(self.device), *args, **kwargs)

    def postprocess(self, data: Any) -> Any:
        """One answer for each row."""
        return data.tolist()

    def handle(self, data: Any, context: Any) -> Any:
        """Answer a batch."""
        self.context = context
        return self.postprocess(self.inference(self.preprocess(data)))
