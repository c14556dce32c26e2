"""The command line: one file a command. The only chapter that prints, exits, and reads the clock and the environment.

Results go to stdout, what is meant for people to stderr. Exit 0 done, 1 refused or failed, 2 wrong use.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Annotated, Any

import typer

from pqdc import __version__
from pqdc.errors import PqdcError

__all__ = ["main", "run"]

# typer carries click inside itself in newer releases, and exports only some of its errors.
ClickException: Any = typer.BadParameter.__mro__[2]

REPORT_LIBRARIES = {"altair", "jinja2", "matplotlib", "numpy", "pandas"}
HELP = "RFC 9345 delegated credentials with classical and post-quantum keys: mint, verify, measure."
# In the order of the help page. Each module `pqdc.cli.NAME` has a function `command`; heavy imports are inside it. What
# is of two words is a command of a group.
COMMANDS = (
    "doctor",
    "schemes",
    "scheme check",
    "ca",
    "leaf",
    "mint",
    "verify",
    "inspect",
    "convert",
    "handshake",
    "serve",
    "connect",
    "interop",
    "verdicts",
    "demo_site",
    "bench",
    "compare",
    "table",
    "plot",
    "report",
    "demo",
)
GROUPS = {"scheme": "Look at one scheme."}


def main() -> None:
    """Run the command line and exit with its status."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run the command line and return its exit status; an error is one line with a hint, never a traceback."""
    try:
        status = _app()(arguments or ["--help"], standalone_mode=False)
    except BrokenPipeError:  # whoever read the output has seen enough
        sys.stderr.close()
        return 0
    except (PqdcError, ClickException, typer.Abort, KeyboardInterrupt, OSError, ModuleNotFoundError) as error:
        message, hint, status = _explain(error)
        print(f"pqdc: {' '.join(message.split())}" + (f" ({hint})" if hint else ""), file=sys.stderr)
    return status if isinstance(status, int) else 0


def _explain(error: Any) -> tuple[str, str, int]:
    """What to say of an error, what to do about it, and the exit status."""
    if isinstance(error, PqdcError):
        return str(error), error.hint, 1
    if isinstance(error, ClickException):
        path = error.ctx.command_path if getattr(error, "ctx", None) else "pqdc"
        message = error.format_message().removesuffix(".")
        return message[:1].lower() + message[1:], f"see {path} --help", error.exit_code
    if isinstance(error, ModuleNotFoundError):
        if error.name not in REPORT_LIBRARIES:
            raise error
        return f"{error.name} is not installed", "pip install 'pqdc[report]'", 1
    if isinstance(error, OSError):
        return f"{error.filename or 'the system'}: {(error.strerror or str(error)).lower()}", "", 1
    return "interrupted", "", 1


def _app() -> typer.Typer:
    app = typer.Typer(
        name="pqdc",
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # the plain help page shows in half the time
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    app.callback(help=HELP)(_version)
    groups = {"": app}
    for name in COMMANDS:
        group, _, own = name.rpartition(" ")
        if group not in groups:
            groups[group] = typer.Typer()
            app.add_typer(groups[group], name=group, help=GROUPS[group])
        groups[group].command(own.replace("_", "-"))(import_module(f"pqdc.cli.{name.replace(' ', '_')}").command)
    return app


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"pqdc {__version__}")
        raise typer.Exit


def _version(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass
