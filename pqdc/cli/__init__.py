"""The command line: one file a command. The only chapter that prints, exits, and reads the clock and the environment.

Results go to stdout, what is meant for people to stderr. Exit 0 done, 1 refused or failed, 2 wrong use.
"""

from __future__ import annotations

import sys
from importlib import import_module

__all__ = ["main"]

# In the order of the help page. Each module `pqdc.cli.NAME` has a function `command`; heavy imports are inside it.
COMMANDS = ("schemes", "ca", "leaf", "mint", "verify")


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its status."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run the command line; an error is one line with a hint, never a traceback."""
    import click
    import typer

    from pqdc.errors import PqdcError

    app = typer.Typer(
        name="pqdc",
        help="RFC 9345 delegated credentials with classical and post-quantum keys: mint, verify, measure.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_version)
    for name in COMMANDS:
        app.command(name.replace("_", "-"))(import_module(f"pqdc.cli.{name}").command)
    try:
        status = app(arguments, standalone_mode=False)
    except PqdcError as error:
        return _say(str(error), error.hint)
    except click.UsageError as error:
        error.show()
        return 2
    except click.ClickException as error:
        return _say(error.format_message(), "")
    except (click.Abort, KeyboardInterrupt):
        return _say("interrupted", "")
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as error:
        return _say(f"{error.filename or 'the system'}: {(error.strerror or str(error)).lower()}", "")
    return status if isinstance(status, int) else 0


def _say(message: str, hint: str) -> int:
    line = " ".join(message.split())
    print(f"pqdc: {line}" + (f" ({hint})" if hint else ""), file=sys.stderr)
    return 1


def _version(version: bool = False) -> None:
    import typer

    if version:
        from pqdc import __version__

        print(f"pqdc {__version__}")
        raise typer.Exit


if __name__ == "__main__":
    main()
