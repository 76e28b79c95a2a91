"""Step: distribution of the smallest distortions of each network's images."""

import numpy as np
import pandas as pd

from intriguing.figures.distortions import distortion_figure
from intriguing.tables.rates import distortions
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.files import by_model
from intriguing.workflow.step import step_log

if __name__ == "__main__":
    networks, files = snakemake.params.settings["networks"], snakemake.input
    with step_log(snakemake, threads=None):
        # Images that were not fooled are left out, as in Table 1.
        pooled = {
            name: np.concatenate(distortions([pd.read_parquet(path) for path in paths]))
            for name, paths in by_model(networks, files.records).items()
        }
        figure = distortion_figure(pooled, pd.read_csv(files.table))
        save_figure(figure, snakemake.output.png)
