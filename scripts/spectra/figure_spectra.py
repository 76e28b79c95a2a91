"""Step: singular values of every layer of every network."""

from intriguing.figures.spectra import spectra_figure
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.files import read_json
from intriguing.workflow.step import step_log

if __name__ == "__main__":
    names = snakemake.params.settings["networks"]
    with step_log(snakemake, threads=None):
        networks = {}
        for name, path in zip(names, snakemake.input.measured, strict=True):
            layers = read_json(path)["layers"]
            networks[name] = {x["name"]: x["spectrum"] for x in layers if x["spectrum"]}
        save_figure(spectra_figure(networks), snakemake.output.png)
