"""Certificates of the model of a small project, made and checked by the command line."""

from pathlib import Path

from commands import call
from tiny import ROWS

RUN = ROWS["lotus"]
NAME = "toy-net-seed3-instance-10-corrected-lotus"
PLACE = Path(f"certificates/{NAME}.json")


def make(*options):
    done = call("certificate", "make", "--workers", "1", *options)
    assert done.exit_code == 0, done.output
    return done


def refused(*options):
    """What is said where nothing is certified, in one line."""
    done = call("certificate", "make", "--workers", "1", *options)
    assert done.exit_code == 1, done.output
    assert done.output.count("\n") == 1
    assert not PLACE.exists()
    return done.output


def verified(*options):
    done = call("certificate", "verify", "--workers", "1", *options)
    return done.exit_code, done.output
