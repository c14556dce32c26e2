"""Finding liboqs, making its adapter, and the native timing loop: the traps, without building liboqs again."""

from __future__ import annotations

import ctypes
import fcntl
import importlib.util
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pqdc import cache as cache_folders
from pqdc.errors import BackendUnavailable
from pqdc.measure import account, counters
from pqdc.scheme.backends import liboqs_library as finder
from pqdc.scheme.backends.liboqs_library import Library, find_library

NATIVE = Path(__file__).parents[1] / "native"
needs_cc = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")

FAKE = 'const char *OQS_version(void) { return "%s"; }\nvoid *OQS_SIG_new(void) { return 0; }\n'
CTX = "int OQS_SIG_supports_ctx_str(void) { return 0; }\n"

EMPTY, KEYPAIR, SIGN, VERIFY = range(4)
DONE, UNKNOWN_SCHEME, OUT_OF_MEMORY, WRONG_USE = 0, -1, -2, -5
SOFTWARE, TASK_CLOCK = 1, 1  # PERF_TYPE_SOFTWARE, PERF_COUNT_SW_TASK_CLOCK


@pytest.fixture(scope="module")
def library() -> Library:
    try:
        return find_library(os.environ)
    except BackendUnavailable as error:
        pytest.skip(f"{error}; {error.hint}")


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """An empty cache of pqdc's, and no OQS_INSTALL_PATH."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("OQS_INSTALL_PATH", raising=False)
    return tmp_path / "cache" / "pqdc"


def compile_library(source: str, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    command = ["cc", "-shared", "-fPIC", "-Wl,-soname,liboqs.so.7", "-x", "c", "-", "-o", str(target)]
    subprocess.run(command, input=source, text=True, check=True)
    return target


def run_build(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(NATIVE / "build.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environ})


# --- OQS_INSTALL_PATH: a reason in two seconds, never a build, never another library -----------------------------


def empty(folder: Path) -> str:
    return ""


def missing(folder: Path) -> str:
    return str(folder / "nowhere")


def relative(folder: Path) -> str:
    return "no/such/folder"


def a_file(folder: Path) -> str:
    (folder / "file").write_text("not a folder")
    return str(folder / "file")


def no_library(folder: Path) -> str:
    (folder / "lib").mkdir()
    return str(folder)


def not_elf(folder: Path) -> str:
    (folder / "lib").mkdir()
    (folder / "lib" / "liboqs.so").write_text("INPUT(-loqs)" * 100)
    return str(folder)


def truncated(folder: Path) -> str:
    library = compile_library(FAKE % "0.13.0", folder / "lib" / "liboqs.so")
    os.truncate(library, 5000)
    return str(folder)


def another_machine(folder: Path) -> str:
    library = compile_library(FAKE % "0.13.0", folder / "lib" / "liboqs.so")
    with library.open("r+b") as elf:  # e_machine of the ELF header
        elf.seek(18)
        machine = int.from_bytes(elf.read(2), sys.byteorder)
        elf.seek(18)
        elf.write((183 if machine == 62 else 62).to_bytes(2, sys.byteorder))
    return str(folder)


def another_library(folder: Path) -> str:
    compile_library("int answer(void) { return 42; }", folder / "lib" / "liboqs.so")
    return str(folder)


def half_a_library(folder: Path) -> str:
    compile_library((FAKE % "0.13.0").partition("\n")[0], folder / "lib64" / "liboqs.so")
    return str(folder)


def an_old_library(folder: Path) -> str:
    compile_library(FAKE % "0.9.2", folder / "lib" / "liboqs.so")
    return str(folder)


TRAPS = [
    (empty, "empty"),
    (missing, "does not exist"),
    (relative, "does not exist"),
    (a_file, "is not a folder"),
    (no_library, "neither lib/liboqs.so nor lib64/liboqs.so"),
    (not_elf, "cannot be loaded"),
    pytest.param(truncated, "cannot be loaded", marks=needs_cc),
    pytest.param(another_machine, "cannot be loaded", marks=needs_cc),
    pytest.param(another_library, "is not liboqs", marks=needs_cc),
    pytest.param(half_a_library, "is not liboqs", marks=needs_cc),
    pytest.param(an_old_library, "is liboqs 0.9.2; pqdc needs 0.10 or newer", marks=needs_cc),
]


@pytest.mark.parametrize(("trap", "reason"), TRAPS)
def test_an_install_path_that_cannot_be_used_is_told_at_once(trap, reason, tmp_path, cache):
    install_path = trap(tmp_path)
    started = time.monotonic()
    with pytest.raises(BackendUnavailable, match="OQS_INSTALL_PATH=") as caught:
        find_library({"OQS_INSTALL_PATH": install_path})
    assert reason in str(caught.value)
    assert "OQS_INSTALL_PATH" in caught.value.hint
    built = run_build(OQS_INSTALL_PATH=install_path)
    assert time.monotonic() - started < 2
    assert (built.returncode, built.stdout) == (1, "")
    assert reason in built.stderr
    assert not cache.exists(), "something was made"


@needs_cc
def test_a_relative_install_path_that_works_is_made_absolute(tmp_path, cache, monkeypatch):
    liboqs = compile_library(FAKE % "0.15.0" + CTX, tmp_path / "here" / "lib64" / "liboqs.so")
    monkeypatch.chdir(tmp_path)
    found = find_library({"OQS_INSTALL_PATH": "here"})
    assert found == Library(
        path=liboqs, liboqs=liboqs, version="0.15.0", origin="OQS_INSTALL_PATH", native_loop=False, build={}
    )


@needs_cc
def test_a_library_that_the_wrapper_cannot_import_waits_for_its_adapter(tmp_path, cache):
    compile_library(FAKE % "0.13.0", tmp_path / "lib" / "liboqs.so")
    with pytest.raises(BackendUnavailable, match="OQS_SIG_supports_ctx_str") as caught:
        find_library({"OQS_INSTALL_PATH": str(tmp_path)})
    assert "make liboqs" in caught.value.hint


# --- the order: the system's, then the cache ----------------------------------------------------------------------


@needs_cc
def test_a_usable_library_of_the_system_comes_before_the_cache(tmp_path, cache):
    liboqs = compile_library(FAKE % "0.15.0" + CTX, tmp_path / "liboqs.so.8")
    found = find_library({"LD_LIBRARY_PATH": f"{tmp_path / 'none'}:{tmp_path}"})
    assert (found.origin, found.liboqs) == ("system", liboqs)


@needs_cc
def test_an_unusable_library_of_the_system_is_passed_over_but_named(tmp_path, cache, monkeypatch):
    compile_library(FAKE % "0.8.0", tmp_path / "liboqs.so.4")
    real = finder._system_libraries
    monkeypatch.setattr(
        finder, "_system_libraries", lambda environ: [p for p in real(environ) if tmp_path in p.parents]
    )
    with pytest.raises(BackendUnavailable, match=r"the system's .*liboqs 0\.8\.0.*; no build of its own") as caught:
        find_library({"LD_LIBRARY_PATH": str(tmp_path)})
    assert caught.value.hint == "run `make liboqs`"


@needs_cc
def test_a_build_in_the_cache_is_used_only_while_it_is_whole(cache, monkeypatch):
    monkeypatch.setattr(finder, "_system_libraries", lambda environ: [])
    folder = finder.build_folder()
    liboqs = compile_library(FAKE % "0.13.0" + CTX, folder / "lib" / "liboqs.so")
    with pytest.raises(BackendUnavailable, match="damaged"):  # killed before it was complete
        find_library({})
    cache_folders.write_manifest(folder, version="0.13.0", build={"compiler": "this one"})
    found = find_library({})
    assert (found.origin, found.liboqs, found.build) == ("cache", liboqs, {"compiler": "this one"})
    os.truncate(liboqs, liboqs.stat().st_size - 1)
    with pytest.raises(BackendUnavailable, match="damaged"):
        find_library({})


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"files": []}', '{"files": {"lib/liboqs.so": 7}}'])
def test_a_broken_manifest_is_no_manifest(text, tmp_path):
    (tmp_path / cache_folders.MANIFEST_NAME).write_text(text)
    assert cache_folders.read_manifest(tmp_path) is None


def test_nothing_is_loaded_into_the_process_that_asks(library):
    code = (
        "import os; from pqdc.scheme.backends.liboqs_library import find_library; find_library(os.environ);"
        "import sys; sys.exit('oqs' in open('/proc/self/maps').read() or 'oqs' in sys.modules)"
    )
    if not Path("/proc/self/maps").exists():
        pytest.skip("no /proc")
    subprocess.run([sys.executable, "-c", code], check=True)


# --- native/build.py ----------------------------------------------------------------------------------------------


@pytest.fixture
def build(cache, monkeypatch):
    monkeypatch.syspath_prepend(NATIVE)
    cache.mkdir(parents=True)
    spec = importlib.util.spec_from_file_location("native_build", NATIVE / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def foreign(library, tmp_path) -> Path:
    """A prefix that holds a copy of the real liboqs, whose adapter nobody has made."""
    (tmp_path / "prefix" / "lib").mkdir(parents=True)
    shutil.copy(library.liboqs, tmp_path / "prefix" / "lib" / "liboqs.so")
    return tmp_path / "prefix"


def test_a_ready_library_costs_half_a_second(library):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    built = run_build()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert (built.returncode, built.stdout) == (0, "")
    assert built.stderr.splitlines() == [f"liboqs {library.version} ({library.origin}): {library.path}"]
    assert (
        after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1
    )  # of the processor: others run beside


@needs_cc
def test_a_foreign_library_gets_its_adapter(foreign, cache):
    built = run_build(OQS_INSTALL_PATH=str(foreign))
    assert built.returncode == 0, built.stderr
    found = find_library({"OQS_INSTALL_PATH": str(foreign)})
    assert found.path.parent.parent == cache
    assert (found.liboqs, found.native_loop, found.build) == (foreign / "lib" / "liboqs.so", True, {})
    os.utime(found.liboqs, ns=(0, 0))  # as if upgraded: the adapter was made for another file
    assert finder.locate({"OQS_INSTALL_PATH": str(foreign)}).native_loop is False


@needs_cc
def test_the_adapter_loads_the_library_it_was_made_for(foreign, cache, tmp_path):
    """Also beside another library of the same name, which the process has loaded and LD_LIBRARY_PATH leads to."""
    decoy = compile_library(FAKE % "0.14.0", tmp_path / "decoy" / "liboqs.so.7")
    assert run_build(OQS_INSTALL_PATH=str(foreign)).returncode == 0
    found = find_library({"OQS_INSTALL_PATH": str(foreign)})
    code = (
        "import ctypes, sys; ctypes.CDLL(sys.argv[1]); adapter = ctypes.CDLL(sys.argv[2]);"
        "adapter.OQS_version.restype = ctypes.c_char_p; print(adapter.OQS_version().decode())"
    )
    command = [sys.executable, "-c", code, str(decoy), str(found.path)]
    environ = {**os.environ, "LD_LIBRARY_PATH": str(decoy.parent)}
    answer = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
    assert answer.stdout.strip() == found.version != "0.14.0"


@needs_cc
def test_two_builders_at_once_make_one_thing(foreign, cache):
    cache.mkdir(parents=True)
    command = [sys.executable, str(NATIVE / "build.py")]
    environ = {**os.environ, "OQS_INSTALL_PATH": str(foreign)}
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        builders = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environ) for _ in range(2)]
        for builder in builders:
            assert "waiting" in builder.stderr.readline()
        assert sorted(path.name for path in cache.iterdir()) == ["lock"]
    for builder in builders:
        with builder:
            said = builder.stderr.read()
        assert builder.returncode == 0, said
    assert len(list(cache.glob("adapter-*"))) == 1
    assert not list(cache.glob("part-*"))


@needs_cc
def test_an_adapter_of_another_adapter_c_is_made_anew(foreign, build, monkeypatch):
    monkeypatch.setenv("OQS_INSTALL_PATH", str(foreign))
    first = build.prepare()
    assert build.has_adapter(first)
    monkeypatch.setattr(build, "adapter_digest", lambda: "edited")
    assert not build.has_adapter(first)
    assert build.has_adapter(build.prepare())


def test_what_is_staged_takes_its_place_whole_or_not_at_all(build, cache):
    final = cache / "thing"
    (cache / "part-abandoned").mkdir()
    (final / "half").mkdir(parents=True)
    with pytest.raises(ZeroDivisionError), build.staged(final) as folder:
        (folder / "new").write_text(str(1 / 0))
    assert [path.name for path in cache.iterdir()] == ["thing"]
    assert (final / "half").exists()
    with build.staged(final) as folder:
        (folder / "new").mkdir()
    assert [path.name for path in final.iterdir()] == ["new"]
    assert [path.name for path in cache.iterdir()] == ["thing"]


def test_a_failing_step_shows_the_end_of_its_output(build):
    code = "import sys; [print('line', n) for n in range(100)]; sys.exit(3)"
    with pytest.raises(build.BuildError, match=r"counting failed .*exit 3") as caught:
        build.run("counting", [sys.executable, "-c", code])
    shown = str(caught.value).splitlines()
    assert (shown[1], shown[-1], len(shown)) == ("line 70", "line 99", 31)


def test_progress_is_told_each_tenth_where_no_terminal_is(build, capsys):
    making = importlib.import_module("making")
    meter = making.Meter("liboqs")
    for n in range(1, 201):
        meter(f"[{n}/200] Building C object {n}.o\n")
    meter("a warning\n")
    assert [line.split()[2] for line in capsys.readouterr().err.splitlines()] == [str(p) for p in range(0, 101, 10)]


@pytest.mark.parametrize(("present", "missing"), [("cc", "cargo"), ("cargo", "C compiler")])
def test_a_missing_tool_is_named_with_the_other_ways(present, missing, build, tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    for name in (present, "cmake", "ninja"):
        (tmp_path / "bin" / name).symlink_to("/bin/true")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(build.BuildError, match=f"no {missing}") as caught:
        build.build_liboqs(finder.build_folder())
    assert all(way in caught.value.hint for way in ("distribution", "OQS_INSTALL_PATH", "import oqs"))


# --- the timing loop ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pqdc_time(library):
    if not library.native_loop:
        pytest.skip("this liboqs has no adapter: run `make liboqs`")
    function = ctypes.CDLL(str(library.path)).pqdc_time
    size = ctypes.c_size_t
    function.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, *[size] * 4, ctypes.c_int, ctypes.c_void_p]

    def call(
        scheme: bytes,
        operation: int,
        *,
        samples: int = 50,
        keys: int = 4,
        distinct: int = 50,
        room: int = 50,
        counter=-1,
    ) -> tuple[int, list[int]]:
        times = (ctypes.c_uint64 * room)()
        outcome = function(scheme, operation, os.urandom(130 * distinct), 130, distinct, samples, keys, counter, times)
        return outcome, list(times)

    return call


def test_times_are_plausible(pqdc_time):
    medians = []
    for operation in (EMPTY, KEYPAIR, SIGN, VERIFY):
        outcome, times = pqdc_time(b"ML-DSA-44", operation)
        assert outcome == DONE
        medians.append(statistics.median(times))
    empty, *others = medians
    assert 0 <= empty < 1_000
    assert all(2_000 < median < 50_000_000 for median in others)  # nanoseconds; 20 to 200 µs on machines of today
    assert len(set(pqdc_time(b"ML-DSA-44", SIGN)[1])) > 1  # rejection sampling: no two signatures take the same time


def test_only_the_samples_asked_for_are_written(pqdc_time):
    outcome, times = pqdc_time(b"ML-DSA-44", VERIFY, samples=3, keys=2)
    assert outcome == DONE
    assert all(times[:3])
    assert not any(times[3:])


def test_messages_are_taken_in_turn(pqdc_time):
    for operation in (SIGN, VERIFY):
        outcome, times = pqdc_time(b"ML-DSA-44", operation, distinct=3)
        assert outcome == DONE
        assert all(times)
        assert pqdc_time(b"ML-DSA-44", operation, distinct=0)[0] == WRONG_USE


def test_what_cannot_be_timed_has_its_own_answer(pqdc_time):
    for operation in (KEYPAIR, SIGN, VERIFY):
        assert pqdc_time(b"no such scheme", operation)[0] == UNKNOWN_SCHEME
        assert pqdc_time(b"ML-DSA-44", operation, keys=0)[0] == WRONG_USE
        assert pqdc_time(b"ML-DSA-44", operation, samples=0)[0] == WRONG_USE
    assert pqdc_time(b"ML-DSA-44", 4)[0] == WRONG_USE
    assert pqdc_time(b"ML-DSA-44", -1)[0] == WRONG_USE
    assert pqdc_time(b"ML-DSA-44", SIGN, keys=1 << 60)[0] == OUT_OF_MEMORY


def test_the_adapter_knows_who_takes_a_context(library):
    asked = ctypes.CDLL(str(library.path)).OQS_SIG_supports_ctx_str
    asked.restype = ctypes.c_bool
    assert [asked(name) for name in (b"ML-DSA-44", b"Falcon-512", b"no such scheme")] == [True, False, False]


@needs_cc
def test_account_c_compiles_without_a_warning():
    flags = ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror", "-fsyntax-only"]
    subprocess.run(["cc", *flags, str(NATIVE / "account.c")], check=True)


@needs_cc
def test_adapter_c_compiles_without_a_warning():
    flags = ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror", "-fsyntax-only"]
    subprocess.run(["cc", *flags, "-DPQDC_ADD_SUPPORTS_CTX_STR", str(NATIVE / "adapter.c")], check=True)


# --- what an operation takes besides time -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def account_of(library):
    if library.account is None:
        pytest.skip("this liboqs has no pqdc-account: run `make liboqs`")
    return lambda scheme: account.of_scheme(library.account, scheme, 5)


def test_stack_and_heap_are_those_of_the_operation(account_of):
    """MAYO keeps its matrices on the stack, more than a MiB of them; ML-DSA needs a few dozen KiB."""
    assert account_of("MAYO-5")["sign"].stack_bytes > 2**20
    small = account_of("ML-DSA-44")["sign"]
    assert 2**14 < small.stack_bytes < 2**18
    assert 0 < small.heap_bytes < 2**16
    assert account_of("ML-DSA-44")["sign"].stack_bytes == pytest.approx(small.stack_bytes, rel=0.1)


def test_randomness_is_what_the_scheme_draws(account_of):
    """ML-DSA draws 32 bytes for a key and 32 for a hedged signature (FIPS 204), and verifying draws none."""
    drawn = account_of("ML-DSA-44")
    assert {name: set(found.random_bytes) for name, found in drawn.items()} == {
        "keygen": {32},
        "sign": {32},
        "verify": {0},
    }
    assert all(0 < time < 10_000_000 for time in drawn["keygen"].random_ns)
    assert set(drawn["verify"].random_ns) == {0}


def test_what_has_no_account_is_told(account_of):
    with pytest.raises(BackendUnavailable, match="does not compute no-such"):
        account_of("no-such")
    with pytest.raises(BackendUnavailable, match="has not been made"):
        account.of_scheme(None, "ML-DSA-44", 1)


def test_massif_sees_the_same_stack(account_of, library, tmp_path):
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        pytest.skip("valgrind is not here")
    out = tmp_path / "massif"
    tool = [valgrind, "--tool=massif", f"--massif-out-file={out}", "--stacks=yes", "--max-stackframe=100000000"]
    answer = subprocess.run(
        [*tool, str(library.account), "ML-DSA-44", "0"],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    if answer.returncode:
        pytest.skip(f"valgrind cannot run liboqs here: {answer.stderr.splitlines()[-1]}")
    peak = max(int(stack) for stack in re.findall(r"mem_stacks_B=(\d+)", out.read_text()))
    ours = max(taken.stack_bytes for taken in account_of("ML-DSA-44").values())
    assert peak == pytest.approx(ours, rel=0.05)


def test_key_objects_are_at_least_as_large_as_their_keys():
    sizes = account.of_key_objects(["Ed25519"])
    public, private = sizes["Ed25519", "openssl"]
    assert 32 < public < private < 100_000


# --- perf events --------------------------------------------------------------------------------------------------


def test_the_loop_counts_events_as_it_reads_the_clock(pqdc_time):
    """The kernel's own clock of a task is an event that every kernel with perf events has; it counts nanoseconds."""
    try:
        with counters.counter(SOFTWARE, TASK_CLOCK) as descriptor:
            outcome, counted = pqdc_time(b"ML-DSA-44", SIGN, counter=descriptor)
    except BackendUnavailable as reason:
        pytest.skip(str(reason))
    assert outcome == DONE
    _, times = pqdc_time(b"ML-DSA-44", SIGN)
    assert 0.2 < statistics.median(counted) / statistics.median(times) < 5


def test_cycles_are_there_or_a_reason():
    reasons = counters.reasons_against()
    assert set(reasons) == {"cycles", "instructions"}
    for name, reason in reasons.items():
        if not reason:
            with counters.counter(*counters.COUNTERS[name]) as descriptor:
                assert int.from_bytes(os.read(descriptor, 8), sys.byteorder) > 0
        else:
            assert "kernel" in reason or "perf" in reason
