"""The command line as tests call it, in this process."""

from click.testing import CliRunner

from lotus.cli.main import main


def call(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])
