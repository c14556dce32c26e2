"""`pqdc bench`: measure, and write one result file with everything in it."""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

import typer

from pqdc.cli import options

if TYPE_CHECKING:
    from pqdc.measure.outcome import Outcome
    from pqdc.measure.plan import Plan
    from pqdc.scheme.catalog import Catalog


def command(
    schemes: Annotated[
        list[str] | None, typer.Argument(help="Schemes or families, with * and ?; all that tables show unless given.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A look: one process, few samples, under a minute.")] = False,
    processes: Annotated[
        int | None, typer.Option("--processes", min=1, max=100, help="Fresh processes; 5, or 1 with --quick.")
    ] = None,
    leaf_scheme: Annotated[str, typer.Option("--leaf-scheme", help="Of the leaf that delegates.")] = "P-256",
    operations: Annotated[
        list[str] | None, typer.Option("--operation", help="Only this, such as sign or mint; may be given again.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="Of orders and messages; drawn unless given.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="The folder to write to; results/ unless given.")] = None,
    algorithms: options.Algorithms = None,
) -> int:
    """Measure every scheme, in fresh processes.

    Keygen, sign, verify, mint, DC verify and more, into one result file with all samples.
    """
    import secrets

    from pqdc.measure.facts import select
    from pqdc.measure.outcome import check_folder, write, write_new
    from pqdc.measure.plan import DEFAULT, OPERATIONS, QUICK, Plan

    catalog = options.catalog(algorithms)
    if unknown := [name for name in operations or () if name not in OPERATIONS]:
        raise typer.BadParameter(f"one of {', '.join(OPERATIONS)} wanted, got {unknown[0]!r}")
    plan = Plan(
        schemes=tuple(scheme.name for scheme in select(catalog, schemes or ())),
        operations=tuple(operations or OPERATIONS),
        processes=processes or (1 if quick else 5),
        budget=QUICK if quick else DEFAULT,
        leaf_scheme=catalog[leaf_scheme].name,
        seed=secrets.randbelow(2**31) if seed is None else seed,
    )
    outcome = prepare(plan, catalog, _written(schemes or [], quick=quick, plan=plan))
    folder = out or results_folder()
    check_folder(folder)
    paths: list[Path] = []

    def keep(state: Outcome) -> None:
        paths.append(write(state, paths[0]) if paths else write_new(state, folder))

    measure(outcome, keep, algorithms or [])
    print(paths[0])
    return finish(outcome, paths[0])


def results_folder() -> Path:
    """`results/` of the checkout, or of where the user stands if this is an installed package."""
    from pqdc.resources import resource

    checkout = resource("bench").parent
    return checkout / "results" if (checkout / "pyproject.toml").exists() else Path("results")


def prepare(plan: Plan, catalog: Catalog, written: str) -> Outcome:
    """An outcome without figures: the plan, the facts of its schemes, and the environment."""
    from pqdc.measure import environment
    from pqdc.measure.facts import scheme_facts
    from pqdc.measure.outcome import Outcome

    leaf_scheme = catalog[plan.leaf_scheme]
    return Outcome(
        plan=plan,
        command=written,
        started=options.moment(None),
        environment=environment.describe(),
        schemes=[scheme_facts(catalog[name], leaf_scheme) for name in plan.schemes],
    )


def measure(outcome: Outcome, keep: Callable[[Outcome], None], overlays: list[Path]) -> None:
    """Run it with a progress bar; `keep` is called whenever there is more to keep."""
    from pqdc.measure.run import Progress, run

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        with Meter() as meter:

            def tell(progress: Progress) -> None:
                meter.show(progress.done, progress.total, _say(progress))

            run(
                outcome,
                overlays=overlays,
                clock=lambda: options.moment(None),
                progress=tell,
                keep=keep,
            )
    finally:
        signal.signal(signal.SIGTERM, before)


def finish(outcome: Outcome, path: Path) -> int:
    """Say what is not as planned; 0 if nothing is."""
    failures = {
        (row["scheme"], row["backend"], row["operation"]): row["failed"]
        for process in outcome.processes
        for row in process.failures
    }
    for (scheme, backend, operation), reason in failures.items():
        print(f"not measured: {operation} of {scheme} by {backend}: {reason}", file=sys.stderr)
    for i, process in enumerate(outcome.processes, 1):
        if process.ended != "complete":
            print(f"process {i} of {outcome.plan.processes} {process.ended}: {process.reason}", file=sys.stderr)
    whole = sum(process.ended == "complete" for process in outcome.processes)
    if not outcome.complete:
        print(
            f"saved: {whole} of {outcome.plan.processes} processes whole, {outcome.measured} rows in {path}",
            file=sys.stderr,
        )
        return 1
    seconds = sum(process.seconds for process in outcome.processes)
    print(f"{outcome.measured} rows in {seconds:.0f} s; `pqdc table {path}` shows them", file=sys.stderr)
    return 0


def _written(schemes: list[str], *, quick: bool, plan: Plan) -> str:
    """The command that does this again, without any path."""
    parts = ["pqdc", "bench", *(["--quick"] if quick else []), "--processes", str(plan.processes)]
    parts += ["--leaf-scheme", plan.leaf_scheme, "--seed", str(plan.seed)]
    return shlex.join([*parts, *schemes])


def _say(progress: Any) -> str:
    test, _, parameters = progress.task.partition("::")[2].removeprefix("test_").partition("[")
    return f"process {progress.process}/{progress.processes}: {test.replace('_', ' ')} {parameters.rstrip(']')}"


class Meter:
    """A bar that moves at a terminal; elsewhere a line for each tenth."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self._console = Console(stderr=True)
        self._shown = -1
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._task = self._bar.add_task("starting", total=None)

    def __enter__(self) -> Self:
        """Begin."""
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take the bar away."""
        self._bar.stop()

    def show(self, done: int, total: int, text: str) -> None:
        """`done` of `total`, and what is being done."""
        self._bar.update(self._task, completed=done, total=total, description=text)
        tenth = 10 * done // max(total, 1)
        if not self._console.is_terminal and tenth != self._shown:
            self._shown = tenth
            print(f"{done:5d} of {total}: {text}", file=sys.stderr, flush=True)
