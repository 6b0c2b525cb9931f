"""A worker as a StatefulSet of Kubernetes, with a volume of its own and the name under which clients find it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from operator_lib.errors import OptionError
from operator_lib.worker.config import GRPC_PORT, PORT

# Where things are in the container.
VOLUME, TOKEN, CERTIFICATE = "/var/lib/operator-lib", "/etc/operator-lib/token", "/etc/operator-lib/tls"
# The user and group that the image has.
USER = 10001
# Seconds to end processes in, after those that runs and calls are given.
TO_END = 20
_NAME = re.compile(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?")
_QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What can be chosen. Quantities are those of Kubernetes: ``2``, ``500m``, ``4Gi``.

    Attributes:
        token_secret: name of the Secret whose key ``token`` is the worker's token.
        tls_secret: of one of type ``kubernetes.io/tls``; without it nothing is encrypted.
        drain: seconds that runs and calls are given when the pod is to end.
    """

    name: str
    image: str
    namespace: str = "default"
    cpu: str = "2"
    memory: str = "4Gi"
    disk: str = "20Gi"
    token_secret: str = ""
    tls_secret: str = ""
    drain: float = 60.0

    def check(self) -> None:
        """Refuse what Kubernetes would refuse later.

        Raises:
            OptionError: names every mistake.
        """
        wrong: list[str] = []
        for option, text in (
            ("name", self.name),
            ("namespace", self.namespace),
            ("token-secret", self.token_secret or "x"),
            ("tls-secret", self.tls_secret or "x"),
        ):
            if not _NAME.fullmatch(text):
                wrong.append(f"--{option}: must be up to 40 of a-z, 0-9 and -, beginning with a letter, got {text!r}")
        for option, text in (("cpu", self.cpu), ("memory", self.memory), ("disk", self.disk)):
            if not _QUANTITY.fullmatch(text):
                wrong.append(f"--{option}: must be a quantity such as 2, 500m or 4Gi, got {text!r}")
        if not self.image or any(letter.isspace() for letter in self.image):
            wrong.append(f"--image: must name an image, got {self.image!r}")
        if not 0 <= self.drain <= 86_400:
            wrong.append(f"--drain: must be 0 to 86400 seconds, got {self.drain:g}")
        if wrong:
            raise OptionError("\n".join(wrong))

    @property
    def token(self) -> str:
        return self.token_secret or f"{self.name}-token"


def objects(wanted: Wanted) -> Iterator[dict[str, Any]]:
    """The objects, in the order in which they are applied."""
    labels = {"app.kubernetes.io/name": "operator-lib", "app.kubernetes.io/instance": wanted.name}
    about = {"name": wanted.name, "namespace": wanted.namespace, "labels": labels}
    ports = [
        {"name": name, "port": number, "targetPort": name} for name, number in (("http", PORT), ("grpc", GRPC_PORT))
    ]
    # Headless: callers of servings go straight to the pod, on ports that are not known before.
    yield {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": about,
        "spec": {"clusterIP": "None", "selector": labels, "ports": ports},
    }
    yield {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": about,
        "spec": {
            "serviceName": wanted.name,
            # A home has one worker.
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": _pod(wanted)},
            "volumeClaimTemplates": [
                {
                    "metadata": {"name": "home"},
                    "spec": {
                        "accessModes": ["ReadWriteOnce"],
                        "resources": {"requests": {"storage": wanted.disk}},
                    },
                }
            ],
        },
    }


def _pod(wanted: Wanted) -> dict[str, Any]:
    size = {"cpu": wanted.cpu, "memory": wanted.memory}
    volumes: list[dict[str, Any]] = [{"name": "tmp", "emptyDir": {}}, _secret("token", wanted.token)]
    mounts = [
        {"name": "home", "mountPath": VOLUME},
        {"name": "tmp", "mountPath": "/tmp"},
        {"name": "token", "mountPath": TOKEN, "readOnly": True},
    ]
    if wanted.tls_secret:
        volumes.append(_secret("tls", wanted.tls_secret))
        mounts.append({"name": "tls", "mountPath": CERTIFICATE, "readOnly": True})
    return {
        "automountServiceAccountToken": False,
        # Somebody has to collect what detaches itself from a run.
        "shareProcessNamespace": True,
        "terminationGracePeriodSeconds": int(wanted.drain) + TO_END,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "fsGroupChangePolicy": "OnRootMismatch",
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "worker",
                "image": wanted.image,
                "args": _arguments(wanted),
                "env": [{"name": "OPERATOR_LIB_HOME", "value": f"{VOLUME}/home"}],
                "ports": [{"name": "http", "containerPort": PORT}, {"name": "grpc", "containerPort": GRPC_PORT}],
                "startupProbe": _probe(wanted, "/healthz", 1, 60),
                "livenessProbe": _probe(wanted, "/healthz", 10, 6),
                "readinessProbe": _probe(wanted, "/readyz", 5, 1),
                "resources": {"requests": dict(size), "limits": {"memory": wanted.memory}},
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                },
                "volumeMounts": mounts,
            }
        ],
        "volumes": volumes,
    }


def _secret(name: str, secret: str) -> dict[str, Any]:
    return {"name": name, "secret": {"secretName": secret, "defaultMode": 0o440}}


def _arguments(wanted: Wanted) -> list[str]:
    given = ["worker", "start", "--foreground", "--host", "0.0.0.0", "--port", str(PORT), "--grpc-port", str(GRPC_PORT)]
    given += ["--drain", f"{wanted.drain:g}", "--token-file", f"{TOKEN}/token"]
    if wanted.tls_secret:
        return [*given, "--tls-cert", f"{CERTIFICATE}/tls.crt", "--tls-key", f"{CERTIFICATE}/tls.key"]
    return [*given, "--insecure"]


def _probe(wanted: Wanted, path: str, period: int, failures: int) -> dict[str, Any]:
    scheme = "HTTPS" if wanted.tls_secret else "HTTP"
    return {
        "httpGet": {"path": path, "port": "http", "scheme": scheme},
        "periodSeconds": period,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }
