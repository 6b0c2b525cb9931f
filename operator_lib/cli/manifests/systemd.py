"""A worker as a unit of systemd."""

from __future__ import annotations

import shlex
import sys
from dataclasses import dataclass

from operator_lib.cli.manifests.kubernetes import TO_END
from operator_lib.errors import OptionError

# Exit codes after which another start would end in the same way: bad options, a home that is taken.
_IN_VAIN = (2, 3)
_UNIT = """\
[Unit]
Description=operator_lib worker
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
{whose}ExecStart={command}
StateDirectory={folder}
StateDirectoryMode=0700
{token}Restart=on-failure
RestartSec=2
RestartPreventExitStatus={in_vain}
KillMode=mixed
TimeoutStopSec={grace}
LimitNOFILE=65536
Delegate=yes
NoNewPrivileges=yes
PrivateTmp=yes
ProtectSystem=strict
ProtectHome={homes}
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictSUIDSGID=yes

[Install]
WantedBy={target}
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What can be chosen.

    Attributes:
        user: whose processes they are; empty for a unit of the calling user's own manager.
        folder: below ``/var/lib``, or the user's ``~/.local/state``: the home of the worker.
        drain: seconds that runs and calls are given when it is stopped.
        token_file: the worker's token, readable by root only.
        options: further ones of ``operator-lib worker start``.
    """

    user: str
    folder: str = "operator-lib"
    drain: float = 60.0
    token_file: str = ""
    options: tuple[str, ...] = ()


def unit(wanted: Wanted) -> str:
    """The text of the unit file.

    Raises:
        OptionError: a name or path would end the line that it stands in, or begin another word.
    """
    for name, text in (("user", wanted.user), ("folder", wanted.folder), ("token-file", wanted.token_file)):
        if text and (text != text.strip() or any(letter in text for letter in "\n\r%\"'\\ ")):
            raise OptionError(f"--{name}: must be a plain word, got {text!r}")
    words = [_word(sys.executable), "-m", "operator_lib", "worker", "start", "--foreground"]
    words += ["--home", "%S/" + wanted.folder]
    words += ["--drain", f"{wanted.drain:g}", *(["--token-file", "%d/token"] if wanted.token_file else [])]
    return _UNIT.format(
        whose=f"User={wanted.user}\n" if wanted.user else "",
        command=" ".join([*words, *map(_word, wanted.options)]),
        folder=wanted.folder,
        token=f"LoadCredential=token:{wanted.token_file}\n" if wanted.token_file else "",
        in_vain=" ".join(map(str, _IN_VAIN)),
        grace=int(wanted.drain) + TO_END,
        homes="read-only" if wanted.user else "no",
        target="multi-user.target" if wanted.user else "default.target",
    )


def _word(text: str) -> str:
    """As systemd reads it in a command."""
    return shlex.quote(text.replace("%", "%%").replace("$", "$$"))
