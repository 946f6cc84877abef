"""``tdsup``: the command line of a fleet."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from ..errors import TdsupError
from ..exits import Exit
from ..protocol import ENVIRONMENT, USUAL, VERSION, enter
from . import completion
from .actioncommands import add_action_commands
from .filecommands import add_file_commands, add_start
from .mastercommands import add_master_commands
from .parsers import add_command
from .prologue import dump_no_core, hold_standard_streams
from .speech import complain, say


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command; returns the exit status."""
    dump_no_core()
    hold_standard_streams()
    options = make_parser().parse_args(arguments)
    try:
        enter(options.directory)
        code: int = options.run(options)
    except TdsupError as error:
        if getattr(options, "judges", False):
            # Only this command needs it.
            from .asking.verdict import Verdict

            say(Verdict.UNKNOWN.line(str(error)))
            return Verdict.UNKNOWN
        complain(str(error))
        return error.exit_code
    except BrokenPipeError:
        # The reader (head, less) has closed the pipe; without this, Python complains at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return Exit.FAILED
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    return code


def make_parser() -> argparse.ArgumentParser:
    """The command line, with every command."""
    parser = argparse.ArgumentParser(
        prog="tdsup",
        description="Run a fleet of PgQ table dispatchers: one process per job of conf.d.",
        epilog="example: tdsup -C /srv/fleet start",
    )
    directory = parser.add_argument(
        "-C",
        dest="directory",
        metavar="DIR",
        help=f"the fleet's directory (default: ${ENVIRONMENT}, else the working directory if it has a fleet, "
        f"else {' or '.join(USUAL)})",
    )
    completion.offer(directory, completion.DIRECTORIES)
    parser.add_argument("--version", action="version", version=f"tdsup {VERSION}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add_start(commands)
    add_master_commands(commands)
    add_file_commands(commands)
    add_action_commands(commands)

    def print_script(options: argparse.Namespace) -> int:
        say(completion.script(parser, options.shell))
        return Exit.OK

    text = "Print a script that lets a shell complete commands and names of jobs."
    example = "tdsup completion bash > /etc/bash_completion.d/tdsup"
    shell = add_command(commands, "completion", text, example, print_script)
    shell.add_argument("shell", choices=completion.SHELLS, help="the shell")
    return parser


if __name__ == "__main__":
    sys.exit(main())
