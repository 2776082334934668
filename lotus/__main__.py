"""`python -m lotus`: the command line, run by the code in the present folder if it has a copy."""

from lotus.cli.main import run

if __name__ == "__main__":
    run()
