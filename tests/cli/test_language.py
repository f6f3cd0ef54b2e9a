"""The command line in Chinese: usage, its own errors, those of argparse, of files and of data."""

from __future__ import annotations

import gettext
from pathlib import Path

import pytest
from cli.command import COLUMNS, CSV, PLAIN, Command, write

from salesfunnel.cli.options import make_parser
from salesfunnel.cli.parser import SAID_BY_ARGPARSE, Parser
from salesfunnel.text.explaining import said

TABLE = "用法：salesfunnel table FILE [选项]\nsalesfunnel table：错误："

MISUSED = [
    ([], "缺少必需的参数：FILE"),
    (["x.csv", *COLUMNS[:-1]], "参数 --entered-at：需要一个值"),
    (["x.csv", "--ties", "x"], "参数 --ties：无效的选项：'x'（可选 "),
    (["x.csv", "--table", "x"], "参数 --table：无效的选项：'x'（可选 "),
    (
        ["x.csv", "--funnel", "f.json", "--preset", "saas"],
        "参数 --preset：不能与参数 --funnel 同用",
    ),
    (["x.csv", "--json=1"], "参数 --json：不接受值 '1'"),
    (["x.csv", "--max-bytes", "many"], "参数 --max-bytes：'many' 不是 0 或更大的整数"),
    (["x.csv", "--rate", "USD"], "参数 --rate：'USD' 不是 CODE=NUMBER 的形式，如 USD=7.2"),
    (
        ["x.csv", "--map", "won"],
        "参数 --map：'won' 不是 NAME=STATE、NAME=lost:REASON 或 NAME= 的形式",
    ),
    (["x.csv", "--field", "x"], "参数 --field：'x' 不是 NAME=VALUE 的形式"),
    (
        ["x.csv", "--where", "owner"],
        "参数 --where：'owner' 不是 ATTRIBUTE=LABEL 的形式；标签未知时写作 ATTRIBUTE=",
    ),
    (["x.csv", "--partial"], "参数 --partial：要与 --crm 同用"),
    (["x.csv", "--json", "--out", "x.csv"], "参数 --json：不能与参数 --out 同用"),
    (["x.csv", "--period", "month"], "参数 --period：只用于 trend、cohorts"),
    (["x.csv"], "缺少必需的参数：--opportunity、--stage、--entered-at"),
]


@pytest.mark.parametrize(("arguments", "problem"), MISUSED)
def test_a_command_that_is_not_understood_is_told_so(
    run: Command, arguments: list[str], problem: str
) -> None:
    done = run("table", "--lang", "zh", *arguments)

    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(TABLE + problem)


def test_the_environment_is_answered_in_its_language(
    run: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    usage = "用法：salesfunnel [-h] COMMAND ...\nsalesfunnel：错误："

    assert run().err == f"{usage}缺少必需的参数：COMMAND\n"
    assert run("tabel").err.startswith(f"{usage}参数 COMMAND：无效的选项：'tabel'（可选 ")
    assert run("table", "x.csv", "--nope", "x").err == f"{usage}无法识别的参数：--nope x\n"
    assert run("table", "x.csv", "--lang", "fr").err == (
        f"{TABLE}参数 --lang：没有 'fr' 语言的文本；可用 en, zh\n"
    )
    assert run("table", "--lang", "en").err == (
        "usage: salesfunnel table FILE [options]\n"
        "salesfunnel table: error: the following arguments are required: FILE\n"
    )


def test_help_has_no_english_headings(run: Command) -> None:
    done = run("-h", "--lang", "zh")
    command = run("report", "--help", "--lang", "zh")

    assert done.out.startswith("用法：salesfunnel [-h] COMMAND ...\n\n把商机的历史记录变成答案。")
    assert "\n选项:\n" in done.out
    assert command.out.startswith("用法：salesfunnel report FILE [选项]\n")
    for text in (done.out, command.out):
        for word in ("usage", "options", "positional", "arguments", "show this"):
            assert word not in text


def test_a_file_that_is_not_there_is_said_in_chinese(run: Command) -> None:
    done = run("table", "none.csv", *COLUMNS, "--lang", "zh")

    assert (done.code, done.err) == (1, "salesfunnel：none.csv：没有这个文件或文件夹\n")


def test_stages_that_are_not_known_are_listed_in_chinese(run: Command) -> None:
    done = run("table", write(PLAIN), *COLUMNS, "--lang", "zh")

    assert done.code == 1
    assert "salesfunnel：'stage' 列中有标准漏斗不认识的阶段。" in done.err
    assert "\n不认识的：lead、Dead、Archived、A=B\n" in done.err


def test_times_without_a_zone_are_said_with_the_name_of_the_option(run: Command) -> None:
    done = run("table", write(CSV.replace("+08:00", "")), *COLUMNS, "--lang", "zh")

    assert done.code == 1
    assert "请用 tz= 给出数据的时区" in done.err
    assert done.err.endswith("（在命令行中，tz= 即 --tz）\n")


def test_rows_that_are_left_out_are_told_in_chinese(run: Command) -> None:
    name = write(CSV + "D,Won,soon,,,CNY,\n")
    done = run("table", name, *COLUMNS, "--errors", "collect", "--lang", "zh")
    check = run("check", name, *COLUMNS, "--lang", "zh")

    assert done.code == 0
    assert "salesfunnel：已略过 1 行：\n  第 8 行，at：'soon'，应为：ISO 8601 时间，如" in done.err
    assert "ISO 8601 时间，如" in check.out
    assert "expected" not in done.err + check.out


def test_settings_choose_the_language_of_errors(run: Command) -> None:
    Path("settings.toml").write_text('lang = "zh"\nopportunity = "id"\n')
    done = run("table", write(CSV), *COLUMNS, "--settings", "settings.toml", "--by", "nobody")

    assert done.code == 1
    assert done.err.startswith("salesfunnel：deals.csv 没有 'nobody' 列；现有 deal、stage、at、")


def test_all_that_argparse_says_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    for words in SAID_BY_ARGPARSE:
        assert said(words, "zh") != words

    parser = Parser(lang="zh", prog="p", allow_abbrev=True)
    parser.add_argument("--number", type=int, nargs=2)
    parser.add_argument("--numeral", nargs="+")
    either = parser.add_mutually_exclusive_group(required=True)
    either.add_argument("--one", nargs="?")
    either.add_argument("--two", action="store_true")
    for arguments, problem in (
        (["--number", "1"], "参数 --number：需要 2 个值"),
        (["--number", "1", "x"], "参数 --number：无效的 int 值：'x'"),
        (["--numeral"], "参数 --numeral：至少需要一个值"),
        (["--num", "1"], "--num 有歧义，可能是 --number, --numeral"),
        ([], "需要以下参数之一：--one --two"),
    ):
        with pytest.raises(SystemExit):
            parser.parse_args(arguments)
        said_last = capsys.readouterr().err.splitlines()[-1]
        assert said_last in (f"p：错误：{problem}", f"p：错误：参数 --num：{problem}")


def test_the_language_of_the_whole_process_stays_what_it_was() -> None:
    before = gettext.gettext, gettext.textdomain()
    make_parser("zh").format_help()

    assert (gettext.gettext, gettext.textdomain()) == before
    assert make_parser("en").format_usage() == "usage: salesfunnel [-h] COMMAND ...\n"
