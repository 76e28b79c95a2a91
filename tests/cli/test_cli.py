"""The command ``intriguing``: pictures in, pictures and lines out."""

import pickle
import random
import struct
import sys
from contextlib import suppress
from zlib import crc32

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from networks import random_perceptron, store
from PIL import Image
from scratch import fresh_python
from torch import nn
from torchvision.models import SqueezeNet1_1_Weights, squeezenet1_1

from intriguing import load_model
from intriguing.cli import commands, main
from intriguing.cli.classifiers import read_classifier, shape_of
from intriguing.cli.pictures import read_picture
from intriguing.errors import InputError
from intriguing.models.alexnet import alexnet_mnist
from intriguing.models.architecture import build
from intriguing.models.evaluation import predict
from intriguing.spectra import network_norms


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a network and a picture for it, to work in."""
    monkeypatch.chdir(tmp_path)
    store(tmp_path / "net.safetensors", random_perceptron([64, 12, 5], [True, True]))
    pixels = np.random.default_rng(0).integers(40, 200, (8, 8), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "digit.png")
    return tmp_path


@pytest.fixture(scope="module")
def squeezenet(tmp_path_factory):
    """File of the weights of a SqueezeNet that is not trained."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "squeezenet1_1.pth"
    torch.save(squeezenet1_1(weights=None).state_dict(), path)
    return path


ATTACK = "attack", "digit.png", "--method", "lbfgs", "--model"
NET = "net.safetensors"


def output_of(*words):
    result = CliRunner().invoke(commands, [str(word) for word in words])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def test_an_attack_writes_the_image_and_the_triple_and_says_both_classes(here):
    code, text = output_of("attack", "digit.png", "--model", "net.safetensors")
    assert code == 0
    image = torch.from_numpy(np.load(here / "digit-adversarial.npy"))
    network = load_model(here / "net.safetensors")
    classes = [int(predict(network, x[None]).argmax()) for x in (clean_of(here), image)]
    assert image.shape == (1, 8, 8) and image.dtype == torch.float32
    assert classes[0] != classes[1]
    before, after = text.splitlines()[:2]
    assert before.split()[:3] == ["before", "class", f"{classes[0]},"]
    assert after.split()[:3] == ["after", "class", f"{classes[1]},"]
    with Image.open(here / "digit-triple.png") as triple:
        assert triple.size == (1440, 570)


def clean_of(here):
    pixels = np.asarray(Image.open(here / "digit.png"), np.float32)
    return torch.from_numpy(pixels)[None] / 255


def test_an_attack_that_has_no_time_says_after_how_long_it_gave_up(here):
    with pytest.raises(InputError, match="no adversarial image found by lbfgs in 0 s"):
        output_of(*ATTACK, NET, "--seconds", "1e-9")
    assert not (here / "digit-adversarial.npy").exists()
    assert output_of(*ATTACK, NET, "--seconds", "0")[0] == 2


def test_a_target_is_reached_and_the_printed_distortion_is_that_of_the_image(here):
    network = load_model(here / "net.safetensors")
    target = int(predict(network, clean_of(here)[None])[0].argsort()[-2])
    _, text = output_of(*ATTACK, NET, "--target", target, "--output", "there.npy")
    image = np.load(here / "there.npy")
    assert f"after       class {target}," in text
    distortion = np.sqrt(((image - clean_of(here).numpy()) ** 2).mean())
    assert f"distortion  {distortion:.3g} (root mean square per pixel)" in text
    assert (here / "there-triple.png").exists()


def test_the_line_about_8_bits_is_what_the_rounded_image_gives(here):
    _, text = output_of(*ATTACK, NET)
    image = np.load(here / "digit-adversarial.npy")
    network = load_model(here / "net.safetensors")
    rounded = torch.from_numpy(np.rint(image * 255) / 255)[None].float()
    found = int(predict(network, rounded).argmax())
    same = found == int(predict(network, torch.from_numpy(image)[None]).argmax())
    expected = f"8 bits      {'kept' if same else 'lost'}: class {found},"
    assert expected in text


def test_with_8_bits_the_stored_picture_is_adversarial(here):
    _, text = output_of(*ATTACK, NET, "--round-to", 8)
    pixels = np.asarray(Image.open(here / "digit-adversarial.png"), np.float32) / 255
    logits = predict(load_model(here / NET), torch.from_numpy(pixels)[None, None])
    found = int(logits.argmax())
    assert f"8 bits      kept: class {found}," in text


def test_pictures_are_prepared_as_torchvision_prepares_them(here, squeezenet):
    pixels = np.random.default_rng(1).integers(0, 256, (300, 401, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(here / "photo.png")
    classifier = read_classifier("torchvision:squeezenet1_1", squeezenet, None)
    found = classifier.network(read_picture(here / "photo.png", classifier))
    bare = squeezenet1_1(weights=None).eval()
    bare.load_state_dict(torch.load(squeezenet, weights_only=True))
    weights = SqueezeNet1_1_Weights.DEFAULT
    with Image.open(here / "photo.png") as picture:
        expected = bare(weights.transforms()(picture)[None])
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    assert classifier.name(0) == "tench (0)"
    assert classifier.number("ostrich") == 9 == classifier.number("9")


def test_norms_prints_the_table_of_the_library(here):
    code, text = output_of("norms", "net.safetensors")
    expected = network_norms(load_model(here / "net.safetensors"), (1, 8, 8))
    assert (code, text) == (0, f"{expected}\n")
    assert "network: at most" in text


def test_norms_measures_nothing_but_norms(here, monkeypatch):
    for name in ("estimates_of", "circular_values"):
        monkeypatch.setattr(f"intriguing.spectra.summary.{name}", None)
    (here / "conv.safetensors").write_bytes(b"")
    torch.manual_seed(0)
    store(here / "conv.safetensors", build(alexnet_mnist()), alexnet_mnist())
    _, text = output_of("norms", "conv.safetensors", "--size", 28)
    assert [line.split()[:2] for line in text.splitlines()][1:4] == [
        ["0", "(conv1)"],
        ["2", "(pool1)"],
        ["3", "(conv2)"],
    ]


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")
def test_a_torchscript_network_is_attacked_and_has_no_norms(here):
    network = load_model(here / "net.safetensors")
    torch.jit.trace(network, torch.rand(1, 1, 8, 8)).save("net.ts")
    _, own = output_of(*ATTACK, NET)
    code, text = output_of(*ATTACK, "net.ts")
    assert code == 0
    assert text.splitlines()[0] == own.splitlines()[0]
    with pytest.raises(InputError, match="does not tell its layers"):
        output_of("norms", "net.ts")


class Harmful:
    def __reduce__(self):
        return open, ("harm", "w")


@pytest.mark.filterwarnings("ignore:Detected pickle")
@pytest.mark.parametrize(
    "write", [torch.save, lambda x, p: pickle.dump(x, p.open("wb"))]
)
@pytest.mark.fault("Weights are a pickle with code in it", "the code does not run")
def test_pickles_are_refused_and_their_code_does_not_run(here, write, seen):
    write(Harmful(), here / "bad.pth")
    with pytest.raises(InputError, match="pickled networks are not loaded") as told:
        output_of(*ATTACK, "bad.pth")
    seen(str(told.value))
    words = "norms", "torchvision:squeezenet1_1", "--weights", "bad.pth"
    with pytest.raises(InputError, match=r"bad\.pth") as told:
        output_of(*words)
    seen(str(told.value))
    assert not (here / "harm").exists()


def chunk(kind, content):
    """Return a chunk of a PNG file."""
    packed = kind + content
    return struct.pack(">I", len(content)) + packed + struct.pack(">I", crc32(packed))


def png(side):
    """Return a PNG that says how large it is, and has no pixels."""
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bomb.png", png(60_000)),
        ("empty.png", png(8)),
        ("cut.png", png(8)[:20]),
        ("page.png", b"<html>not found</html>"),
        ("code.png", pickle.dumps(Harmful())),
        ("length.safetensors", struct.pack("<Q", 2**62) + b"{}"),
        ("header.safetensors", struct.pack("<Q", 8) + b"[[[[[[[["),
    ],
)
@pytest.mark.fault("A picture or a network has hostile contents", "everything")
def test_hostile_files_are_refused_by_name(here, name, content, seen):
    (here / name).write_bytes(content)
    words = ["attack", name, "--model", NET]
    if not name.endswith(".png"):
        words = [*ATTACK, name]
    with pytest.raises(InputError, match=f"^{name}: ") as told:
        output_of(*words)
    seen(str(told.value), name)
    assert not (here / "harm").exists()


@pytest.mark.filterwarnings("ignore:Image size")
def test_a_damaged_picture_is_opened_or_refused_by_name(here):
    """Pillow's readers raise errors of many kinds."""
    classifier = read_classifier(NET, None, None)
    draw = random.Random(0)
    for suffix in ("png", "bmp"):
        Image.open(here / "digit.png").save(here / f"damaged.{suffix}")
        whole = (here / f"damaged.{suffix}").read_bytes()
        for _ in range(200):
            content = bytearray(whole)
            for _ in range(3):
                content[draw.randrange(min(len(content), 120))] = draw.randrange(256)
            (here / f"damaged.{suffix}").write_bytes(content)
            with suppress(InputError):
                read_picture(here / f"damaged.{suffix}", classifier)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([*ATTACK, "no.safetensors"], "no such file"),
        (["attack", "no.png", "--model", NET], "as a picture"),
        (["attack", NET, "--model", NET], "as a picture"),
        (["norms", "torchvision:alexnets"], "no classifier 'alexnets'"),
        (["norms", "digit.png"], "neither a .safetensors"),
        (["norms", NET, "--size", "9"], "--size"),
        ([*ATTACK, NET, "--target", "cat"], "target 'cat'"),
        ([*ATTACK, NET, "--target", "5"], "targets"),
        ([*ATTACK, NET, "--output", "a.jpg"], ".npy"),
        ([*ATTACK, NET, "--output", "no/a.npy"], "no is no folder to write to"),
        (
            [*ATTACK, NET, "--round-to", "8", "--output", "digit.png"],
            "it would replace digit.png",
        ),
        (["certify", "digit.png", "--model", NET, "--radius", "9"], "farther away"),
        (["certify", "digit.png", "--model", "torchvision:alexnet"], "fully connected"),
    ],
)
def test_an_error_takes_one_line_and_exit_status_1(
    here, monkeypatch, capsys, words, message
):
    monkeypatch.setattr(sys, "argv", ["intriguing", *words])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert message in str(stopped.value) and "\n" not in str(stopped.value)
    assert str(stopped.value).startswith("intriguing: ")


def test_a_certified_distance_is_checked_and_below_the_attacked_one(here):
    code, text = output_of("certify", "digit.png", "--model", NET)
    said = dict(line.split(maxsplit=1) for line in text.splitlines())
    assert code == 0
    assert said["check"] == "passed" and said["status"] == "certified"
    assert 0 < float(said["radius"]) <= float(said["attacked"])
    network = load_model(here / NET)
    label = int(predict(network, clean_of(here)[None]).argmax())
    assert said["class"] == f"class {label}"


def test_a_distance_beyond_the_attacked_one_is_falsified(here):
    _, text = output_of("certify", "digit.png", "--model", NET, "--radius", "4")
    said = dict(line.split(maxsplit=1) for line in text.splitlines())
    assert said["status"] == "falsified" and "check" not in said
    assert float(said["attacked"]) <= 4


def test_a_certificate_that_fails_its_check_is_no_success(here, monkeypatch):
    module = sys.modules["intriguing.cli.certify"]  # the package has the command's name
    monkeypatch.setattr(module, "verify", lambda *_: np.array([False]))
    with pytest.raises(InputError, match="fails its check"):
        output_of("certify", "digit.png", "--model", NET, "--radius", "1e-3")


def test_a_target_that_is_the_class_already_is_named(here):
    _, text = output_of(*ATTACK, NET)
    number = text.split("class ")[1].split(",")[0]
    with pytest.raises(InputError, match=f"--target {number}: the network says so"):
        output_of(*ATTACK, NET, "--target", number)


def test_pictures_are_turned_as_their_camera_says_and_may_have_an_opaque_channel(here):
    classifier = read_classifier(NET, None, None)
    whole = Image.open("digit.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    whole.save("turned.png", exif=exif)
    turned = read_picture(here / "turned.png", classifier)
    assert torch.equal(turned[0, 0], clean_of(here)[0].rot90(-1))
    Image.open("digit.png").convert("LA").save("opaque.png")
    classifier = read_classifier(NET, None, None)
    assert torch.equal(read_picture(here / "opaque.png", classifier)[0], clean_of(here))


@pytest.mark.parametrize(
    ("pixels", "mode", "said"),
    [
        (np.full((8, 8), 9000, np.uint16), None, "more than 8 bits a pixel"),
        (np.full((8, 8), 0.5, np.float32), None, "more than 8 bits a pixel"),
        (np.full((8, 8, 2), 100, np.uint8), "LA", "transparent in places"),
    ],
)
def test_pictures_that_8_bits_would_change_are_refused(here, pixels, mode, said):
    Image.fromarray(pixels, mode).save("odd.tif")
    with pytest.raises(InputError, match=said):
        output_of("attack", "odd.tif", "--model", NET)


def test_a_picture_of_too_many_pixels_is_refused(here, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(InputError, match="as a picture"):
        output_of("attack", "digit.png", "--model", NET)


class Pair(nn.Module):
    def forward(self, x):
        return x.flatten(1), x


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")
@pytest.mark.parametrize(
    ("network", "said"),
    [
        (nn.Sequential(nn.Flatten(), nn.Linear(64, 3).double()), "Float and Double"),
        (nn.Sequential(nn.Conv2d(1, 2, 9), nn.Flatten()), "pictures of shape"),
        (nn.Sequential(nn.Conv2d(1, 2, 3), Pair()), "it returns a tuple, not logits"),
    ],
)
@pytest.mark.parametrize("command", ["attack", "certify"])
def test_scripts_that_give_a_picture_no_logits_are_refused(
    here, command, network, said
):
    torch.jit.script(network).save("net.ts")
    words = "digit.png", "--model", "net.ts", "--size", "8"
    with pytest.raises(InputError, match=said) as error:
        output_of(command, *words)
    assert "Traceback" not in str(error.value)


@pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning")
def test_a_frozen_script_is_refused_in_words(here):
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 3)).eval()
    torch.jit.freeze(torch.jit.script(network)).save("net.ts")
    with pytest.raises(InputError, match=r"before torch\.jit\.freeze"):
        output_of(*ATTACK, "net.ts")


def test_the_size_of_pictures_is_read_off_the_first_layer_or_asked_for():
    assert shape_of(nn.Sequential(nn.Linear(784, 10)), None) == (1, 28, 28)
    assert shape_of(nn.Sequential(nn.Linear(3072, 10)), None) == (3, 32, 32)
    assert shape_of(nn.Sequential(nn.Conv2d(3, 2, 3)), 40) == (3, 40, 40)
    with pytest.raises(InputError, match="--size"):
        shape_of(nn.Sequential(nn.Conv2d(3, 2, 3)), None)


def test_help_has_examples_and_the_module_is_the_command():
    for words in ([], ["attack"], ["norms"]):
        code, text = output_of(*words, "--help")
        assert code == 0
        assert "\n  intriguing " in text
    assert fresh_python("-m", "intriguing", "--version").startswith("intriguing, ")
    assert output_of("attacks")[0] == 2


def test_the_command_line_imports_nothing_of_the_workflow():
    heavy = {"snakemake", "dvc", "pydantic", "intriguing.workflow"}
    code = f"import sys, intriguing.cli; print({heavy} & sys.modules.keys())"
    assert fresh_python("-c", code) == "set()"
