"""The command ``intriguing certify``."""

import numpy as np
from click.testing import CliRunner
from networks import random_perceptron, store
from PIL import Image

from intriguing.cli import commands


def test_a_picture_is_certified_and_the_certificate_checked(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store(tmp_path / "net.safetensors", random_perceptron([64, 12, 5], [True, True]))
    pixels = np.random.default_rng(0).integers(40, 200, (8, 8), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "digit.png")
    words = ["certify", "digit.png", "--model", "net.safetensors"]
    result = CliRunner().invoke(commands, words)
    assert result.exit_code == 0, result.output
    assert "certified" in result.output
    assert "passed" in result.output
