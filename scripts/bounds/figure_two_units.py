"""Step: what CROWN and the semidefinite program know of two units."""

from intriguing.figures.two_units import two_units_figure
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.step import step_log

if __name__ == "__main__":
    with step_log(snakemake, threads=None):
        save_figure(two_units_figure(), snakemake.output.png)
