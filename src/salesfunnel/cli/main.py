"""Running a command, and saying what went wrong."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

from salesfunnel.cli.complaint import complain
from salesfunnel.cli.options import language_of, make_parser
from salesfunnel.cli.outcome import FAILED, CommandError
from salesfunnel.cli.settings import with_settings
from salesfunnel.errors import SalesFunnelError
from salesfunnel.wording import Wording

_SYSTEM = {
    str(problem): problem
    for problem in (
        Wording("No such file or directory"),
        Wording("Permission denied"),
        Wording("Is a directory"),
        Wording("Not a directory"),
        Wording("File name too long"),
        Wording("No space left on device"),
        Wording("Read-only file system"),
    )
}
"""What the operating system says of files, in the words of Python."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0, 1 for bad data or files, 2 for a bad command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what the terminal cannot show appears as a code
            stream.reconfigure(errors="backslashreplace")
    given = list(sys.argv[1:] if arguments is None else arguments)
    lang = language_of(given)
    parser = make_parser(lang)
    try:
        options = parser.parse_args(with_settings(given))
        lang = options.lang
        try:
            text, code = options.run(options)
        except CommandError as error:
            options.parser.error(error.words)
        # Flushed here, for what fails when the interpreter exits can no longer be handled.
        print(text, flush=True)
    except BrokenPipeError:
        # The reader has seen enough; what is still to be flushed goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except SalesFunnelError as error:
        complain(error.words, lang)
        return FAILED
    except OSError as error:
        complain(
            Wording(
                "{file}: {problem}",
                file=error.filename or Wording("output"),
                problem=_SYSTEM.get(error.strerror or "", error.strerror),
            ),
            lang,
        )
        return FAILED
    except KeyboardInterrupt:
        return 130  # as shells have it
    return int(code)
