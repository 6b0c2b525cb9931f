"""``worker manifest``: the worker as a service of systemd, or in Kubernetes."""

from __future__ import annotations

import getpass
from typing import Annotated

import typer

import operator_lib
from operator_lib.cli import output
from operator_lib.cli.flags import Json

group = typer.Typer(
    no_args_is_help=True, help="Print what runs the worker as a service elsewhere.", rich_markup_mode=None
)
Drain = Annotated[float, typer.Option("--drain", help="Seconds that runs and calls are given when it stops.")]


@group.command("systemd")
def for_systemd(
    user: Annotated[str, typer.Option("--user", help="Whose processes they are. Default: yours.")] = "",
    own: Annotated[bool, typer.Option("--own", help="For `systemctl --user`: no rights of root are needed.")] = False,
    folder: Annotated[str, typer.Option("--folder", help="Its home, in /var/lib or ~/.local/state.")] = "operator-lib",
    drain: Drain = 60.0,
    token_file: Annotated[
        str, typer.Option("--token-file", metavar="FILE", help="Its token, for root's eyes only. Default: one is made.")
    ] = "",
    options: Annotated[
        list[str] | None, typer.Argument(metavar="[-- OPTIONS]", help="Of `worker start`.", show_default=False)
    ] = None,
) -> None:
    """Print a unit file."""
    from operator_lib.cli.manifests import systemd

    whose = "" if own else user or getpass.getuser()
    print(systemd.unit(systemd.Wanted(whose, folder, drain, token_file, tuple(options or ()))), end="")


@group.command("kubernetes")
def for_kubernetes(
    name: Annotated[str, typer.Option("--name", help="Of the objects, and of the worker's host.")] = "operator-lib",
    image: Annotated[str, typer.Option("--image", help="Made from the Dockerfile of the project.")] = "",
    namespace: Annotated[str, typer.Option("--namespace", "-n", help="Where they live.")] = "default",
    cpu: Annotated[str, typer.Option("--cpu", help="Requested for worker, runs and replicas together.")] = "2",
    memory: Annotated[str, typer.Option("--memory", help="Requested, and the limit.")] = "4Gi",
    disk: Annotated[str, typer.Option("--disk", help="The volume of its home.")] = "20Gi",
    token_secret: Annotated[
        str, typer.Option("--token-secret", help="The Secret with the key `token`. Default: NAME-token.")
    ] = "",
    tls_secret: Annotated[
        str, typer.Option("--tls-secret", help="One of type kubernetes.io/tls. Without it nothing is encrypted.")
    ] = "",
    drain: Drain = 60.0,
    as_json: Json = False,
) -> None:
    """Print a Service and a StatefulSet."""
    from operator_lib.cli.manifests import kubernetes, written

    image = image or f"operator-lib:{operator_lib.__version__}"
    wanted = kubernetes.Wanted(name, image, namespace, cpu, memory, disk, token_secret, tls_secret, drain)
    wanted.check()
    objects = list(kubernetes.objects(wanted))
    if as_json:
        output.document({"apiVersion": "v1", "kind": "List", "items": objects})
        return
    scheme = "https" if tls_secret else "http"
    print(
        f"# kubectl create secret generic {wanted.token} -n {namespace} --from-literal=token=$(openssl rand -hex 32)\n"
        f"# In the cluster: OPERATOR_LIB_ADDRESS={scheme}://{name}.{namespace}:{kubernetes.PORT}"
    )
    print("---\n".join(written.document(found) for found in objects), end="")
