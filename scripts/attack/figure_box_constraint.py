"""Step: box-constrained L-BFGS on an image of two pixels."""

from intriguing.figures.box_constraint import box_constraint_figure
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.step import step_log

if __name__ == "__main__":
    with step_log(snakemake, threads=None):
        save_figure(box_constraint_figure(), snakemake.output.png)
