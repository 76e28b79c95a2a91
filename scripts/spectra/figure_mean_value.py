"""Step: from the Jacobian to the bound, on a network of two inputs."""

from intriguing.figures.mean_value import mean_value_figure
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.step import step_log

if __name__ == "__main__":
    with step_log(snakemake, threads=None):
        save_figure(mean_value_figure(), snakemake.output.png)
