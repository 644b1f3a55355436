"""Mutation testing: change the modules that hold rules, one change at a time, and expect their tests to fail.

Cosmic Ray makes the changes. Its own runner is not used, because it starts Python for each mutant, and importing Django, numpy and the
project takes ten seconds of processor time. Here a process imports everything, pytest collects a module's tests once, and a fork for
each mutant reloads the changed module and runs the tests, first those that killed other mutants. (mutmut forks too, but changes only the
bodies of functions, and most rules of Heimdex are constants of modules.) Unchanged code must pass after such a reload.

Every worker process has its own copy of the working tree under .cache/mutation, so the tree itself never changes. Run it with
`make mutate`, or `make mutate ONLY="people/matching.py" JOBS=1`. It fails when less than 90 % of the mutants are killed, or when a
survivor has no reason in survivors.toml.
"""

import argparse
import contextlib
import gc
import importlib
import os
import pickle
import resource
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import traceback
from collections.abc import Collection
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from math import ceil
from multiprocessing import get_context
from pathlib import Path

import pytest
from mutants import Mutant, find_mutants, find_places
from pluggy import PluginManager
from reloading import reload_module

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
COPIES = ROOT / ".cache" / "mutation"
# The share of all mutants that tests must kill.
MIN_KILLED = 0.9
# Imported before the forks in any case.
LIBRARIES = ("pytest", "numpy", "scipy.sparse", "sklearn.cluster", "hypothesis", "PIL.Image", "av", "cv2")
PLUGINS = ("pytest_django.plugin", "pytest_timeout", "_hypothesis_pytestplugin", "no:unraisableexception", "no:threadexception")
# The tests of a mutant may take this many times as much processor time as without, and so many seconds more. Then the mutant counts as
# killed, because it never ends. Tests that sleep instead get ten times as long.
_SLOWER, _EXTRA_S, _ASLEEP = 3, 3, 10
# A mutant that never ends may also never stop allocating. It gets this many bytes more than the process that it was forked from.
_EXTRA_BYTES = 4 * 1024**3
# A limit for the tests of unchanged code (seconds).
_BASELINE_S = 300


@dataclass(frozen=True)
class Outcome:
    """How many mutants a module has, which of them survived, and the duration of its tests on all of them (seconds).

    `output` is that of pytest when the tests fail on the unchanged module.
    """

    module: str
    mutants: int
    survivors: tuple[Mutant, ...]
    seconds: float
    output: str = ""

    @property
    def killed(self) -> int:
        """The number of mutants that made a test fail."""
        return self.mutants - len(self.survivors)


def start_worker(copies: Path) -> None:
    """Give this process a copy of the files that git knows or would add, and import the project from it as the tests do."""
    copy = copies / str(os.getpid())
    files = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    for name in filter(None, files.stdout.split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    os.chdir(copy)
    sys.path[:] = [str(copy), *(path for path in sys.path if path not in (str(HERE), str(ROOT), ""))]
    for name in (*LIBRARIES, *PLUGINS[:3], "tests.conftest", "heimdex.urls"):
        importlib.import_module(name)
    gc.freeze()


class MutantLoop:
    """A pytest plugin that runs the collected tests on each mutant of a module, in forks."""

    def __init__(self, module: str, only: list[str] | None) -> None:
        self.path = Path(module)
        self.source = self.path.read_text()
        self.mutants = list(find_mutants(module, self.source, only))
        self.survivors: list[Mutant] = []
        self._killers = Path("mutation.killer")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the tests on the unchanged module, then on each mutant. Return True, so that pytest runs nothing itself."""
        items = list(session.items)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        if not items or session.testsfailed or self._fork(session, items, _BASELINE_S):
            session.testsfailed = session.testsfailed or 1
            return True
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        limit_s = ceil(_SLOWER * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) + _EXTRA_S)
        try:
            for mutant in self.mutants:
                self.path.write_text(mutant.code)
                self._killers.unlink(missing_ok=True)
                if self._fork(session, items, limit_s) == 0:
                    self.survivors.append(mutant)
                elif self._killers.exists():
                    items.insert(0, items.pop(int(self._killers.read_text())))
        finally:
            self.path.write_text(self.source)
        return True

    def _fork(self, session: pytest.Session, items: list[pytest.Item], limit_s: int) -> int:
        """Run tests in a fork until one fails, with a limit of processor time. Return 0 when none fails and the limit suffices."""
        child = os.fork()
        if not child:
            self._run(session, items, limit_s)
        deadline = time.monotonic() + _ASLEEP * limit_s
        while time.monotonic() < deadline:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return -1

    def _run(self, session: pytest.Session, items: list[pytest.Item], limit_s: int) -> None:
        code = 3
        try:
            os.setsid()
            # A mutant may have the size and the second of the original, so its bytecode must not be kept.
            sys.dont_write_bytecode = True
            used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + _EXTRA_BYTES, resource.RLIM_INFINITY))
            resource.setrlimit(resource.RLIMIT_CPU, (limit_s, resource.RLIM_INFINITY))
            # The previous fork removed it.
            Path(os.environ["HEIMDEX_HOME"]).mkdir(exist_ok=True)
            reload_module(str(self.path))
            code = 0
            for number, (item, following) in enumerate(zip(items, [*items[1:], None], strict=True)):
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if session.testsfailed:
                    self._killers.write_text(str(number))
                    code = 1
                    break
        except BaseException:  # noqa: BLE001  (whatever a mutant raises ends only its fork)
            traceback.print_exc()
            code = 3
        finally:
            with contextlib.suppress(BaseException):
                # Stops the database, if a test has started it.
                session.config._ensure_unconfigure()
            os._exit(code)


def test_module(module: str, tests: list[str], only: list[str] | None) -> Outcome:
    """Run the tests of a module on each of its mutants."""
    started = time.monotonic()
    path = Path(module)
    for bytecode in path.parent.glob(f"__pycache__/{path.stem}.*.pyc"):
        bytecode.unlink()
    # Pytest leaves its traces in the process, so it runs in one of its own.
    receiver, sender = os.pipe()
    child = os.fork()
    if not child:
        _become_pytest(module, tests, only, sender)
    os.close(sender)
    with os.fdopen(receiver, "rb") as stream:
        answer = stream.read()
    os.waitpid(child, 0)
    if not answer:
        return Outcome(module, 0, (), time.monotonic() - started, Path("mutation.out").read_text()[-3000:])
    mutants, survivors = pickle.loads(answer)
    return Outcome(module, mutants, tuple(survivors), time.monotonic() - started)


def _become_pytest(module: str, tests: list[str], only: list[str] | None, sender: int) -> None:
    try:
        output = os.open("mutation.out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(output, 1)
        os.dup2(output, 2)
        # Collecting the garbage of the whole project would take longer than most tests.
        gc.disable()
        loop = MutantLoop(module, only)
        # The plugins are named, so none needs to be looked for in the metadata of every installed package.
        PluginManager.load_setuptools_entrypoints = lambda *_, **__: 0  # type: ignore[method-assign]
        # Nobody reads the reports of failures, and composing them takes longer than most tests.
        options = ["-q", "--no-header", "--assert=plain", "--tb=native", *(f"-p{plugin}" for plugin in PLUGINS)]
        if pytest.main([*options, *tests], plugins=[loop]) == 0:
            os.write(sender, pickle.dumps((len(loop.mutants), loop.survivors)))
    except Exception:  # noqa: BLE001
        traceback.print_exc()
    finally:
        os._exit(0)


def main() -> int:
    """Test all modules of modules.toml, or the given ones; return 1 when too many mutants survive or one has no reason."""
    parser = argparse.ArgumentParser(description="Change the modules that hold rules, and expect their tests to fail.")
    parser.add_argument("modules", nargs="*", help="paths of modules.toml; all by default")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="processes; as many as cores by default")
    parser.add_argument("--list", action="store_true", help="count the mutants instead of testing them")
    arguments = parser.parse_args()
    targets: dict[str, dict[str, list[str]]] = tomllib.loads((HERE / "modules.toml").read_text())
    if unknown := set(arguments.modules) - set(targets):
        parser.error(f"not in modules.toml: {', '.join(sorted(unknown))}")
    targets = {module: target for module, target in targets.items() if not arguments.modules or module in arguments.modules}
    counts = {module: sum(1 for _ in find_places((ROOT / module).read_text(), target.get("only"))) for module, target in targets.items()}
    if arguments.list:
        print(*(f"{count:5} {module}" for module, count in counts.items()), f"{sum(counts.values()):5} in all", sep="\n")
        return 0
    os.nice(10)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    copies = COPIES / str(os.getpid())
    outcomes = []
    started = time.monotonic()
    try:
        with ProcessPoolExecutor(arguments.jobs, get_context("fork"), start_worker, (copies,)) as pool:
            # The modules with the most mutants first, so that no process is left with a long one at the end.
            order = sorted(targets, key=lambda module: -counts[module])
            futures = [pool.submit(test_module, module, targets[module]["tests"], targets[module].get("only")) for module in order]
            for future in as_completed(futures):
                outcomes.append(outcome := future.result())
                print(f"{outcome.module}: {outcome.killed} of {outcome.mutants} killed in {outcome.seconds:.0f} s", flush=True)
                for mutant in outcome.survivors:
                    print(f"  survived: line {mutant.line}: {mutant.before}\n{' ' * 12}-> {mutant.after}", flush=True)
    finally:
        shutil.rmtree(copies, ignore_errors=True)
    return report(sorted(outcomes, key=lambda outcome: outcome.module), time.monotonic() - started)


def report(outcomes: Collection[Outcome], seconds: float) -> int:
    """Print a table of the outcomes, and what is wrong with them. Return 1 when something is wrong."""
    reasons = {(row["module"], row["before"], row["after"]) for row in tomllib.loads((HERE / "survivors.toml").read_text())["survivors"]}
    total, killed = sum(outcome.mutants for outcome in outcomes), sum(outcome.killed for outcome in outcomes)
    print(f"\n{'module':44} killed mutants  share seconds")
    rows = [(outcome.module, outcome.killed, outcome.mutants, outcome.seconds) for outcome in outcomes]
    rows.append(("total", killed, total, seconds))
    for name, dead, number, duration_s in rows:
        print(f"{name:44} {dead:6} {number:7} {dead / max(number, 1):6.1%} {duration_s:7.0f}")
    survivors = [mutant for outcome in outcomes for mutant in outcome.survivors]
    faults = [f"The tests of {outcome.module} fail without a change:\n{outcome.output}" for outcome in outcomes if not outcome.mutants]
    if killed < MIN_KILLED * total:
        faults.append(f"Less than {MIN_KILLED:.0%} of the mutants are killed.")
    for mutant in survivors:
        if mutant.key not in reasons:
            place = f"{mutant.module}:{mutant.line}: {mutant.before} -> {mutant.after}"
            faults.append(f"No test fails, and survivors.toml gives no reason: {place}")
    tested = {outcome.module for outcome in outcomes}
    for module, before, after in sorted(reasons - {mutant.key for mutant in survivors}):
        if module in tested:
            print(f"No longer survives, so survivors.toml need not list it: {module}: {before} -> {after}")
    print(*faults, sep="\n")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
