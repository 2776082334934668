"""How the paper's own experiments are run."""


def command(*items: str) -> str:
    """Returns the command that runs items of the paper, at the paper's size."""
    return f"snakemake --configfile config/paper.yaml --cores all {' '.join(items)}"
