"""Step: singular values of every layer of every network."""

from matplotlib.figure import Figure

from intriguing.figures.spectra import spectra_figure
from intriguing.workflow.drawing import save_figure
from intriguing.workflow.files import read_json
from intriguing.workflow.step import step_log


def run(measured: dict[str, str]) -> Figure:
    """Return the figure, given the file of the step ``spectra`` for each network."""
    networks = {}
    for name, path in measured.items():
        layers = read_json(path)["layers"]
        networks[name] = {x["name"]: x["spectrum"] for x in layers if x["spectrum"]}
    return spectra_figure(networks)


if __name__ == "__main__":
    names = snakemake.params.settings["networks"]
    with step_log(snakemake, threads=None):
        figure = run(dict(zip(names, snakemake.input.measured, strict=True)))
        save_figure(figure, snakemake.output.png)
