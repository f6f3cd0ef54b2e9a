"""The installed command, in a process and a terminal of its own."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cli.command import COLUMNS, CSV, FUNNEL, MAP, PLAIN

from salesfunnel.text.width import display_width


@pytest.fixture(scope="module")
def program() -> str:
    path = shutil.which("salesfunnel", path=sysconfig.get_path("scripts"))
    assert path is not None, "the package is installed with its console script"
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "deals.csv").write_text(CSV, "utf-8")
    (tmp_path / "plain.csv").write_text(PLAIN, "utf-8")
    (tmp_path / "funnel.json").write_text(FUNNEL, "utf-8")
    return tmp_path


def environment(**settings: str) -> dict[str, str]:
    """Return the environment with no language but what is set here."""
    languages = [name for name in os.environ if name.startswith(("LC_", "LANG"))]
    return {name: os.environ[name] for name in {*os.environ}.difference(languages)} | settings


def start(
    program: str, *arguments: str, folder: Path, **settings: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [program, *arguments],
        cwd=folder,
        env=environment(**settings),
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_the_report_of_a_file(program: str, folder: Path) -> None:
    done = start(program, "report", "deals.csv", *COLUMNS, folder=folder, LANG="zh_CN.UTF-8")

    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().splitlines()[0] == "销售漏斗报告"
    assert "潜在客户识别" in done.stdout.decode()


def test_a_failure_is_an_exit_code_and_a_message(program: str, folder: Path) -> None:
    done = start(program, "report", "plain.csv", *COLUMNS, folder=folder)
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"salesfunnel: the standard funnel does not know every stage")

    assert start(program, "report", folder=folder).returncode == 2
    options = ["--funnel", "funnel.json", *MAP]
    assert start(program, "report", "plain.csv", *COLUMNS, *options, folder=folder).returncode == 0


def test_what_a_terminal_cannot_show_appears_as_a_code(program: str, folder: Path) -> None:
    done = start(
        program, "table", "deals.csv", *COLUMNS, "--lang", "zh", folder=folder,
        PYTHONIOENCODING="ascii",
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\\u6f5c\\u5728\\u5ba2\\u6237" in done.stdout


def test_a_reader_that_has_seen_enough_is_no_failure(program: str, folder: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [program, "report", "deals.csv", *COLUMNS],
        cwd=folder,
        env=environment(),
        stdout=writing,
        stderr=subprocess.PIPE,
        timeout=60,
        check=False,
    )
    os.close(writing)

    assert (done.returncode, done.stderr) == (0, b"")


def test_the_first_line_is_enough_for_head(program: str, folder: Path) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f"{shlex.quote(program)} demo | head -1"],
        cwd=folder,
        env=environment(),
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, b"Sales funnel report\n", b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_is_told(program: str, folder: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [program, "report", "deals.csv", *COLUMNS],
            cwd=folder,
            env=environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )

    assert (done.returncode, done.stderr) == (1, b"salesfunnel: output: No space left on device\n")


# ── in a terminal ─────────────────────────────────────────────────────────────────────────────────


class Terminal:
    """A tmux of one window for each width, with a server of its own."""

    def __init__(self, tmux: str, folder: Path) -> None:
        self._tmux = tmux
        self._folder = folder

    def __call__(self, width: int, *arguments: str) -> str:
        server = f"salesfunnel-{os.getpid()}-{width}"
        done = subprocess.run(
            [self._tmux, "-u", "-f", "/dev/null", "-L", server, *arguments],
            cwd=self._folder,
            env=environment(LC_ALL="C.UTF-8"),
            capture_output=True,
            timeout=30,
            check=True,
        )
        return done.stdout.decode()

    def screen(self, command: str, width: int) -> list[str]:
        """Return the lines on the screen when a command has ended."""
        # It ends by waiting for us, with what it printed still on the screen.
        ended = self._folder / f"ended-{width}"
        script = f"{command}; touch {ended.name}; sleep 60"
        self(width, "new-session", "-d", "-x", str(width), "-y", "300", script)
        try:
            deadline = time.monotonic() + 30
            before, shown = "", self(width, "capture-pane", "-p")
            while not ended.exists() or shown != before:  # tmux may lag behind what was printed
                assert time.monotonic() < deadline, shown
                time.sleep(0.2)
                before, shown = shown, self(width, "capture-pane", "-p")
        finally:
            self(width, "kill-server")
        return shown.rstrip("\n").split("\n")


@pytest.fixture
def terminal(require_program: Callable[[str], str], folder: Path) -> Terminal:
    return Terminal(require_program("tmux"), folder)


def test_chinese_columns_are_aligned_on_the_screen(program: str, terminal: Terminal) -> None:
    command = f"{shlex.quote(program)} demo --lang zh"
    printed = subprocess.run(
        [program, "demo", "--lang", "zh"], capture_output=True, timeout=60, check=True
    ).stdout.decode()
    lines = printed.rstrip("\n").split("\n")
    width = max(map(display_width, lines))

    # In a terminal as wide as the longest line nothing wraps, in one that is narrower that line
    # does: the terminal's widths of Chinese characters are those that the columns are made with.
    assert terminal.screen(command, width) == lines
    narrower = terminal.screen(command, width - 1)
    assert len(narrower) == len(lines) + sum(display_width(line) == width for line in lines)

    table = lines[lines.index("销售漏斗") + 3 :][:8]
    rule, *stages = table
    assert [line.split()[0] for line in stages] == [
        *("潜在客户识别", "初步接触", "需求分析", "方案制定", "报价与谈判", "合同签订", "售后服务"),
    ]
    assert {display_width(line) for line in stages} == {display_width(rule)}


WIDE_NAMES = """\
deal,stage,at,owner
商机😀A,潜在客户识别,2026-01-01T09:00+08:00,李娜
商机😀A,赢单,2026-01-05T09:00+08:00,李娜
B\u202e<script>,需求分析,2026-01-02T09:00+08:00,ｆｕｌｌｗｉｄｔｈ
C\u0301é,流失,2026-01-04T09:00+08:00,가나다
D\x1b[31m,流失,2026-01-04T09:00+08:00,Wang
"""
"""Names of two cells a character, marks that take none, and what must not pass."""


@pytest.mark.parametrize(
    ("command", "code"),
    [("table deals.csv --by owner", 0), ("table deals.csv --table summary --by owner", 0),
     ("check deals.csv", 1)],
)  # fmt: skip
def test_names_of_any_width_are_aligned_on_the_screen(
    program: str, terminal: Terminal, folder: Path, command: str, code: int
) -> None:
    (folder / "deals.csv").write_text(WIDE_NAMES, "utf-8")
    arguments = [*command.split(), *COLUMNS, "--lang", "zh"]
    done = start(program, *arguments, folder=folder)
    assert (done.returncode, done.stderr) == (code, b"")
    lines = done.stdout.decode().rstrip("\n").split("\n")
    width = max(map(display_width, lines))

    shown = terminal.screen(shlex.join([program, *arguments]), width)
    assert shown == lines
    assert not {"\x1b", "\u202e"} & {*"".join(shown)}
    # Every row ends where the rule above it ends, if it has a cell in the last column.
    rule = next(index for index, line in enumerate(lines) if line.startswith("─"))
    columns = lines[rule].split("  ")
    rows = lines[rule + 1 : lines.index("", rule)]
    assert rows
    for row in rows:
        assert display_width(row) <= display_width(lines[rule])
        at = display_width(columns[0])
        assert on_screen(row, at, at + 2).strip() == ""


def on_screen(line: str, start: int, stop: int) -> str:
    """Return what of a line is in some columns of the screen."""
    cells = [character for character in line for _ in range(display_width(character))]
    return "".join(cells[start:stop])
