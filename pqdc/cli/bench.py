"""`pqdc bench`: measure, and write one result file with everything in it."""

from __future__ import annotations

import contextlib
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pqdc.cli import options
from pqdc.cli.compare import FailOver, parse_share
from pqdc.cli.meter import Meter

if TYPE_CHECKING:
    from pqdc.measure.diary import Diary
    from pqdc.measure.outcome import Outcome
    from pqdc.measure.plan import Plan
    from pqdc.scheme.catalog import Catalog

_FAIL_OVER = "5%"


def command(
    schemes: Annotated[
        list[str] | None, typer.Argument(help="Schemes or families, with * and ?; all that tables show unless given.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A look: one process, few samples, under a minute.")] = False,
    thorough: Annotated[bool, typer.Option("--thorough", help="For a paper: hours, with every operation.")] = False,
    processes: Annotated[
        int | None, typer.Option("--processes", min=1, max=100, help="Fresh processes; 10, 1 if quick, 20 if thorough.")
    ] = None,
    leaf_scheme: Annotated[str | None, typer.Option("--leaf-scheme", help="Of the leaf that delegates; P-256.")] = None,
    operations: Annotated[
        list[str] | None, typer.Option("--operation", help="Only this, such as sign or mint; may be given again.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, help="Of orders and messages; drawn unless given.")
    ] = None,
    patience: Annotated[
        float | None,
        typer.Option(
            "--patience", min=0, max=100, help="So many times longer it may take on a busy machine; 2, 0.1 if quick."
        ),
    ] = None,
    no_pin: Annotated[bool, typer.Option("--no-pin", help="Do not stay on one CPU.")] = False,
    plan_of: Annotated[Path | None, typer.Option("--plan", metavar="RUN", help="Measure what this result did.")] = None,
    check: Annotated[
        Path | None, typer.Option("--check", metavar="RUN", help="The same, and compare with it: exit 1 if slower.")
    ] = None,
    fail_over: FailOver = None,
    resume: Annotated[
        Path | None, typer.Option("--resume", metavar="RUN", help="Go on with a run that was stopped or killed.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="The folder to write to; results/ unless given.")] = None,
    algorithms: options.Algorithms = None,
) -> int:
    """Measure every scheme, in fresh processes.

    Keygen, sign, verify, mint, DC verify, handshakes and more, into one result file with all samples.
    """
    from pqdc.measure.diary import Diary
    from pqdc.measure.outcome import check_folder

    given = {
        "schemes": schemes,
        "--quick": quick,
        "--thorough": thorough,
        "--leaf-scheme": leaf_scheme,
        "--operation": operations,
        "--plan": plan_of,
        "--check": check,
        "--resume": resume,
        "--processes": processes,
        "--seed": seed,
        "--no-pin": no_pin,
        "--patience": patience,
    }
    _exclude(given)
    if fail_over and not check:
        raise typer.BadParameter("--fail-over says when --check fails: give both")
    share = parse_share(fail_over or _FAIL_OVER)
    catalog = options.catalog(algorithms)
    if resume:
        diary, outcome = Diary.resume(resume)
        _check_same(outcome)
    else:
        plan, written = _plan_of(plan_of or check, processes, seed) if plan_of or check else _plan(given, catalog)
        outcome = prepare(plan, catalog, written)
        if check:
            _check_machine(check, outcome)
        folder = out or results_folder()
        check_folder(folder)
        diary = Diary.begin(outcome, folder)
    with _kept(diary, outcome):
        measure(outcome, diary.result, algorithms or [], note=diary.write)
    print(diary.result)
    status = finish(outcome, diary.result)
    return status or (_compare(check, diary.result, share) if check else 0)


def _exclude(given: Mapping[str, Any]) -> None:
    """Refuse what says twice what to run."""
    whole = [name for name in ("--plan", "--check", "--resume") if given[name]]
    beside = {"--processes", "--seed"} if whole and whole[0] != "--resume" else set()
    said = [name for name, value in given.items() if value not in (None, []) and value is not False]
    others = [name for name in said if name not in beside and name != (whole or [""])[0]]
    if whole and others:
        raise typer.BadParameter(f"{whole[0]} says what to run: give it without {others[0]}")
    if given["--quick"] and given["--thorough"]:
        raise typer.BadParameter("--quick and --thorough exclude each other")


def _plan(given: Mapping[str, Any], catalog: Catalog) -> tuple[Plan, str]:
    """By the options; and the command that makes it again, without any path."""
    import secrets

    from pqdc.measure.facts import select
    from pqdc.measure.plan import OPERATIONS, Plan

    operations = given["--operation"]
    if unknown := [name for name in operations or () if name not in OPERATIONS]:
        raise typer.BadParameter(f"one of {', '.join(OPERATIONS)} wanted, got {unknown[0]!r}")
    kind = next((name for name in ("--quick", "--thorough") if given[name]), "")
    changes: dict[str, Any] = {
        "leaf_scheme": catalog[given["--leaf-scheme"] or "P-256"].name,
        "seed": secrets.randbelow(2**31) if given["--seed"] is None else given["--seed"],
        "pin": not given["--no-pin"],
    }
    changes |= {"processes": given["--processes"]} if given["--processes"] else {}
    changes |= {"operations": tuple(operations)} if operations else {}
    changes |= {} if given["--patience"] is None else {"patience": given["--patience"]}
    names = tuple(scheme.name for scheme in select(catalog, given["schemes"] or ()))
    make = {"--quick": Plan.quick, "--thorough": Plan.thorough}.get(kind, Plan)
    plan = make(schemes=names, **changes)
    parts = ["pqdc", "bench", *filter(None, [kind]), "--processes", str(plan.processes)]
    parts += ["--leaf-scheme", plan.leaf_scheme, "--seed", str(plan.seed), *([] if plan.pin else ["--no-pin"])]
    parts += [] if given["--patience"] is None else ["--patience", f"{plan.patience:g}"]
    parts += [part for name in operations or () for part in ("--operation", name)]
    return plan, shlex.join([*parts, *(given["schemes"] or ())])


def _plan_of(path: Path | None, processes: int | None, seed: int | None) -> tuple[Plan, str]:
    """That of a result."""
    from pqdc.measure.plan import Plan
    from pqdc.report.result import read

    assert path  # noqa: S101 - one of the two options was given
    plan = Plan.from_dict(read(path).plan)
    plan = replace(plan, processes=processes or plan.processes, seed=plan.seed if seed is None else seed)
    parts = ["pqdc", "bench", "--plan", path.name, "--processes", str(plan.processes), "--seed", str(plan.seed)]
    return plan, shlex.join(parts)


def _check_machine(baseline: Path, outcome: Outcome) -> None:
    """Before anything is measured that could not be compared.

    Raises:
        ResultError: the baseline is of another machine.
    """
    from pqdc.errors import ResultError
    from pqdc.report.comparison import machines_differ
    from pqdc.report.result import read

    if reason := machines_differ(read(baseline).environment, outcome.environment):
        raise ResultError(f"{baseline.name} is of another machine: {reason}", hint="--plan measures, and compares not")


def _check_same(outcome: Outcome) -> None:
    """A run goes on where it began, with the same software.

    Raises:
        ResultError: something else is here.
    """
    from pqdc.errors import ResultError
    from pqdc.measure import environment

    here = environment.describe()
    for name in ("machine", "python", "packages", "backends", "pqdc"):
        if here[name] != outcome.environment.get(name):
            raise ResultError(f"this run was begun elsewhere: another {name}", hint="begin a new one")


def _compare(baseline: Path, path: Path, share: float) -> int:
    from pqdc.cli.compare import fails, show
    from pqdc.report.comparison import compare
    from pqdc.report.result import read

    comparison = compare(read(baseline), read(path), margin=share)
    show(comparison)
    return fails(comparison)


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
    # First, as libraries of the user's are proved meanwhile: the environment tells which.
    schemes = [scheme_facts(catalog[name], leaf_scheme) for name in plan.schemes]
    return Outcome(
        plan=plan,
        command=written,
        started=options.moment(None),
        environment=environment.describe(),
        schemes=schemes,
    )


@contextlib.contextmanager
def _kept(diary: Diary, outcome: Outcome) -> Iterator[None]:
    """Whatever ends a run, say what of it there is; its diary stays only where something is left to do."""
    from pqdc.errors import FileError

    try:
        yield
    except FileError:
        whole = sum(process.ended == "complete" for process in outcome.processes)
        there = f"{diary.result} has {whole} whole processes; " if diary.result.exists() else ""
        print(f"saved: {there}{diary.path} has what came after: go on with --resume {diary.path}", file=sys.stderr)
        diary.close(remove=False)
        raise
    except BaseException:
        diary.close(remove=not outcome.measured)
        raise
    diary.close(remove=outcome.complete)


def measure(
    outcome: Outcome,
    path: Path,
    overlays: list[Path],
    note: Callable[..., None] = lambda **_: None,
) -> None:
    """Run it with a progress bar; write to `path` whenever there is more to keep, and tell `note` everything."""
    from pqdc.measure.outcome import write
    from pqdc.measure.run import Progress, run

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    disturbed = False

    def take_down(entry: Mapping[str, Any]) -> None:
        nonlocal disturbed
        note(**entry)
        if entry.get("alone") is False and not disturbed:
            disturbed = True
            print("another run is measuring on this machine: they disturb each other", file=sys.stderr)

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        with Meter() as meter:

            def tell(progress: Progress) -> None:
                meter.show(progress.done, progress.total, _say(progress))

            run(
                outcome,
                overlays=overlays,
                clock=lambda: options.moment(None),
                progress=tell,
                keep=lambda state: write(state, path),
                note=take_down,
            )
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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
            f"saved: {whole} of {outcome.plan.processes} processes whole, {outcome.measured} rows in {path}; "
            f"`pqdc bench --resume {path}` goes on",
            file=sys.stderr,
        )
        return 1
    seconds = sum(process.seconds for process in outcome.processes)
    print(f"{outcome.measured} rows in {seconds:.0f} s; `pqdc table {path}` shows them", file=sys.stderr)
    return 0


def _say(progress: Any) -> str:
    test, _, parameters = progress.task.partition("::")[2].removeprefix("test_").partition("[")
    return f"process {progress.process}/{progress.processes}: {test.replace('_', ' ')} {parameters.rstrip(']')}"
