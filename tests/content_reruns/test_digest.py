"""The code digest: what leaves it alone, what changes it, what it refuses."""

import ast
import os
import shutil
import subprocess
import sys
import sysconfig
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import content_reruns
from content_reruns import (
    CodeDigestError,
    code_digest,
    dynamic_imports,
    reached_modules,
)
from content_reruns.canonical import canonical

# No deadline: a busy machine is no failure.
steady = settings(deadline=None, max_examples=60)

ROOT = Path(__file__).parents[2]
ROOTS = [ROOT / "src", ROOT / "scripts"]

STEP = '''"""Step: do it."""

from net.layers import dense


def run(path):
    """Run."""
    if path:
        return dense(3) + 0.5
    return None


run("there")
'''
LAYERS = '''import net.layers


class Layer:
    """One layer."""


def dense(width):
    """Stack."""
    return {"width": width, "bias": True}
'''
NET = {
    "scripts/step.py": STEP,
    "src/net/__init__.py": "",
    "src/net/layers.py": LAYERS,
    "src/net/unused.py": "answer = 42\n",
}
LAZY = '''"""Exports lazily."""
import importlib

_EXPORTS = {"load_model": "net.models", "attack": ".attack.lbfgs"}
version = "1"


def __getattr__(name):
    if name not in _EXPORTS:
        raise AttributeError(f"no {name}")
    module = importlib.import_module(_EXPORTS[name], __name__)
    return getattr(module, name)
'''
LAZY_NET = {
    "src/net/__init__.py": LAZY,
    "src/net/models.py": "from net import shapes\n\ndef load_model(): ...\n",
    "src/net/shapes.py": "",
    "src/net/attack/__init__.py": "",
    "src/net/attack/lbfgs.py": "",
}


@contextmanager
def checkout(files: Mapping[str, str]) -> Iterator[tuple[Path, list[Path]]]:
    """Write files into a fresh folder; yield the step and the roots."""
    with TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        for name, text in {"src/none": "", **files}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(text.encode())
        yield root / "scripts/step.py", [root / "src", root / "scripts"]


def digest(files: Mapping[str, str]) -> str:
    with checkout(files) as (step, roots):
        return code_digest(step, roots)


def reached(step: str, files: Mapping[str, str]) -> set[str]:
    with checkout({**files, "scripts/step.py": step}) as (script, roots):
        root = script.parents[1]
        found = {p.relative_to(root).as_posix() for p in reached_modules(script, roots)}
        return found - {"scripts/step.py"}


def dynamic(step: str, files: Mapping[str, str]) -> list[str]:
    with checkout({**files, "scripts/step.py": step}) as (script, roots):
        places = dynamic_imports(script, roots)
        return [str(Path(place).relative_to(script.parents[1])) for place in places]


def packages(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "")


# What leaves the digest alone


@steady
@given(st.data())
def test_comments_and_blank_lines_leave_the_digest(data):
    name = data.draw(st.sampled_from(["scripts/step.py", "src/net/layers.py"]))
    lines = NET[name].splitlines()
    comment = st.from_regex(r" *#[^\r\n\f\x00]*", fullmatch=True)
    # From the second line on: the first may declare the file's encoding.
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(2, len(lines)))
        inserted = data.draw(comment.filter(_encodes) | st.sampled_from(["", "   "]))
        lines.insert(place, inserted)
    assert digest({**NET, name: "\n".join(lines)}) == digest(NET)


def _encodes(text: str) -> bool:
    return not any(0xD800 <= ord(letter) < 0xE000 for letter in text)


@steady
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_docstrings_leave_the_digest(text):
    module = f"{text!r}\ndef f():\n    {text!r}\n    return 1\nclass A:\n    {text!r}\n"
    bare = "def f():\n    return 1\nclass A:\n    pass\n"
    assert digest({"scripts/step.py": module}) == digest({"scripts/step.py": bare})


def test_a_body_of_nothing_but_a_docstring_is_an_empty_body():
    bodies = ['"""Nothing."""', "pass", '"""Nothing."""\n    pass']
    functions = {digest({"scripts/step.py": f"def f():\n    {b}\n"}) for b in bodies}
    assert len(functions) == 1


def test_writing_a_module_in_another_layout_leaves_its_text():
    for path in (ROOT / "src").rglob("*.py"):
        tree = ast.parse(path.read_bytes())
        assert canonical(ast.parse(ast.unparse(tree))) == canonical(tree), path


def test_unreached_modules_line_ends_and_a_byte_order_mark_leave_the_digest():
    windows = {name: "\ufeff" + t.replace("\n", "\r\n") for name, t in NET.items()}
    assert digest(windows) == digest(NET)
    assert digest({**NET, "src/net/unused.py": "answer = 43\n"}) == digest(NET)
    assert digest({**NET, "src/more.py": "import net.unused\n"}) == digest(NET)


def test_odd_escapes_and_prefixes_are_left_to_the_linter():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one = digest({"scripts/step.py": "x = u'\\d'\n"})
    assert one == digest({"scripts/step.py": "x = '\\\\d'\n"})


def test_a_checkout_gives_the_same_digest_wherever_it_lies(tmp_path, monkeypatch):
    with checkout(NET) as (step, roots):
        here = code_digest(step, roots)
        os.utime(step, (0, 0))
        moved = shutil.copytree(step.parents[1], tmp_path / "deep" / "er")
    linked = tmp_path / "linked"
    linked.symlink_to(moved)
    for place in (moved, linked):
        places = [place / "src", place / "scripts"]
        assert code_digest(place / "scripts/step.py", places) == here
    monkeypatch.chdir(moved)
    assert code_digest(Path("scripts/step.py"), [Path("src"), Path("scripts")]) == here


# What changes it


CONSTANTS = st.one_of(
    st.integers(), st.floats(), st.text(), st.binary(), st.booleans(), st.none()
)


@steady
@given(CONSTANTS, CONSTANTS)
def test_two_constants_give_one_digest_only_if_they_are_the_same(one, other):
    def module(value):
        return {"scripts/step.py": f"def f(x):\n    return x + {value!a}\n"}

    assert (digest(module(one)) == digest(module(other))) == (repr(one) == repr(other))


NAMES = st.from_regex(r"[a-z]{1,6}_", fullmatch=True)


@steady
@given(NAMES, NAMES)
def test_renaming_a_function_changes_the_digest(one, other):
    assume(one != other)
    first, second = (LAYERS.replace("dense", name) for name in (one, other))
    layers = "src/net/layers.py"
    assert digest({**NET, layers: first}) != digest({**NET, layers: second})


@steady
@given(st.data())
def test_changing_any_constant_of_real_code_changes_its_text(data):
    path = ROOT / "src/content_reruns/source.py"
    tree = ast.parse(path.read_bytes())
    before = canonical(tree)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    owners = [n for n in ast.walk(tree) if isinstance(n, documented)]
    texts = {id(n.body[0].value) for n in owners if isinstance(n.body[0], ast.Expr)}
    constants = [n for n in ast.walk(tree) if isinstance(n, ast.Constant)]
    chosen = data.draw(st.sampled_from([c for c in constants if id(c) not in texts]))
    chosen.value = f"{chosen.value}, but otherwise"
    assert canonical(tree) != before


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('"""One."""\nprint(__doc__)', '"""Other."""\nprint(__doc__)'),
        ("a < b", "a > b"),
        ("f(a, b)", "f(b, a)"),
        ("f(*a)", "f(**a)"),
        ("{**a, 'b': 1}", "{None: a, 'b': 1}"),
        ("def f(*, a, b=1): 0", "def f(*, a=1, b): 0"),
        ("def f(a, /, b): 0", "def f(a, b): 0"),
        ("async def f(): 0", "def f(): 0"),
        ("x = 'text'", "x = 'texts'"),
        ("x = 1\n'not a docstring'", "x = 1\n'not one either'"),
        ("f'{x:>{w}}.'", "f'{x:>{w}}:'"),
        ("[a, b]", "(a, b)"),
        ("[[], a]", "[a]"),
        ("x[None:1]", "x[1:None]"),
        ("x[:1]", "x[1:]"),
        ("x = True", "x = 1"),
        ("x = ...", "x = Ellipsis"),
        ("match x:\n  case None: 1", "match x:\n  case True: 1"),
    ],
)
def test_code_that_does_otherwise_has_another_digest(one, other):
    assert digest({"scripts/step.py": one}) != digest({"scripts/step.py": other})


def test_every_reached_module_counts_and_its_place_too():
    step = {"scripts/step.py": "import a, b"}
    one = {**step, "src/a.py": "x = 1", "src/b.py": "x = 2"}
    other = {**step, "src/a.py": "x = 2", "src/b.py": "x = 1"}
    assert digest(one) != digest(other)
    files = {**NET, "src/net/copied.py": LAYERS}
    for name in ("src/net/__init__.py", "src/net/layers.py", "scripts/step.py"):
        assert digest({**files, name: NET[name] + "\nextra = 1\n"}) != digest(NET)
    elsewhere = STEP.replace("net.layers", "net.copied")
    assert digest({**files, "scripts/step.py": elsewhere}) != digest(files)


# What a step reaches


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("import a", {"a"}),
        ("import a.b", {"a", "b"}),
        ("import a.b.c", {"a", "b", "c"}),
        ("import a.b.c as short", {"a", "b", "c"}),
        ("from a import b", {"a", "b"}),
        ("from a.b import c", {"a", "b", "c"}),
        ("from a.b import name", {"a", "b"}),
        ("from a.b.c import name", {"a", "b", "c"}),
        ("from a import *", {"a"}),
        ("def f():\n    from a import b", {"a", "b"}),
        ("if TYPE_CHECKING:\n    import a.b", {"a", "b"}),
        ("try:\n    import a\nexcept ImportError:\n    import lone", {"a", "lone"}),
        ("import torch, numpy.linalg", set()),
        ("__import__('a.b')", {"a", "b"}),
        ("import importlib\nimportlib.import_module('a.b')", {"a", "b"}),
        ("from importlib import import_module as m\nm('a')", {"a"}),
        ("DIGESTED_MODULES = ('a.b',)", {"a", "b"}),
        ("import space.inner", {"inner"}),
        ("from space import inner", {"inner"}),
        ("import beside", {"beside"}),
    ],
)
def test_imports_are_followed(statement, expected):
    files = {"a": "src/a/__init__.py", "b": "src/a/b/__init__.py", "c": "src/a/b/c.py"}
    files |= {"lone": "src/lone.py", "inner": "src/space/inner.py"}
    files["beside"] = "scripts/beside.py"
    written = packages(*files.values())
    assert reached(statement, written) == {files[name] for name in expected}


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("from . import d", "d"),
        ("from .d import f", "d"),
        ("from .. import e", "e"),
        ("from ..e import f", "e"),
        ("import importlib\nimportlib.import_module('.d', __package__)", "d"),
    ],
)
@pytest.mark.parametrize("module", ["b/__init__", "b/c"])
def test_relative_imports_are_followed(module, statement, expected):
    files = {"d": "src/a/b/d.py", "e": "src/a/e.py"}
    written = packages("src/a/__init__.py", "src/a/b/__init__.py", *files.values())
    written[f"src/a/{module}.py"] = statement
    imported = f"a.{module}".replace("/__init__", "").replace("/", ".")
    found = reached(f"import {imported}", written)
    assert found & set(files.values()) == {files[expected]}


@pytest.mark.parametrize(
    ("step", "files"),
    [
        ("import a", {"a.py": "import b", "b.py": "import c", "c.py": "import a, c"}),
        ("from a import *", {"a/__init__.py": "__all__ = ['b']", "a/b.py": ""}),
    ],
    ids=["circle", "star"],
)
def test_modules_reached_through_modules_count(step, files):
    files = {f"src/{name}": text for name, text in files.items()}
    assert reached(step, files) == set(files)


def test_a_name_that_a_module_imports_from_itself_ends():
    text = "try:\n    from a.b import b\nexcept ImportError:\n    pass\nb.c.d()"
    assert reached("from a import b", {"src/a.py": text}) == {"src/a.py"}


def test_roots_are_searched_in_order_and_a_script_finds_its_neighbours(tmp_path):
    files = packages("src/a/__init__.py", "src/a.py", "scripts/a.py")
    assert reached("import a", files) == {"src/a/__init__.py"}
    (tmp_path / "step.py").write_text("import beside\n")
    (tmp_path / "beside.py").touch()
    found = reached_modules(tmp_path / "step.py", [])
    assert found == (tmp_path / "beside.py", tmp_path / "step.py")


def test_every_real_step_reaches_what_the_steps_share():
    shared = ROOT / "src/intriguing/workflow/step.py"
    scripts = sorted((ROOT / "scripts").rglob("*.py"))
    alone = [s.name for s in scripts if shared not in reached_modules(s, ROOTS)]
    assert alone == []


PACKAGES = ["asyncio", "concurrent", "email", "json", "logging", "unittest", "xml"]
LOADED = """
import sys
before = set(sys.modules)
import {module}
new = [m for name, m in sys.modules.items() if name not in before]
print(*[m.__file__ for m in new if getattr(m, "__file__", None)], sep="\\n")
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Path:
    """Copy packages of Python's own library to where they are local modules."""
    root = tmp_path_factory.mktemp("library")
    for name in PACKAGES:
        shutil.copytree(Path(sysconfig.get_path("stdlib")) / name, root / name)
    return root


@pytest.mark.parametrize(
    "module",
    [
        "asyncio",
        "concurrent.futures",
        "email.mime.text",
        "json.tool",
        "logging.config",
        "unittest.mock",
        "xml.dom.minidom",
    ],
)
def test_whatever_python_itself_loads_is_reached(module, library, tmp_path):
    command = [sys.executable, "-S", "-c", LOADED.format(module=module)]
    found = {**os.environ, "PYTHONPATH": str(library)}
    loaded = subprocess.run(
        command, env=found, capture_output=True, check=True, text=True
    )
    local = {Path(p) for p in loaded.stdout.splitlines() if p.startswith(f"{library}")}
    (tmp_path / "step.py").write_text(f"import {module}\n")
    assert local
    assert local <= set(reached_modules(tmp_path / "step.py", [library]))


# Packages that export lazily


INIT, MODELS = "src/net/__init__.py", "src/net/models.py"
SHAPES = "src/net/shapes.py"
ATTACK = {"src/net/attack/__init__.py", "src/net/attack/lbfgs.py"}


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("import net", {INIT}),
        ("import net\nprint(net.version)", {INIT}),
        ("from net.shapes import f", {INIT, SHAPES}),
        ("from net import version", {INIT}),
        ("import net\nprint(net.__name__)", {INIT}),
        ("from net import load_model", {INIT, MODELS, SHAPES}),
        ("from net import attack", {INIT, *ATTACK}),
        ("import net\nnet.load_model()", {INIT, MODELS, SHAPES}),
        ("import net as n\nn.load_model()", {INIT, MODELS, SHAPES}),
        ("import net.shapes\nnet.load_model()", {INIT, MODELS, SHAPES}),
        ("import net\ngetattr(net, name)", {INIT, MODELS, SHAPES, *ATTACK}),
        ("from net import *", {INIT, MODELS, SHAPES, *ATTACK}),
        ("__import__('net').load_model()", {INIT, MODELS, SHAPES, *ATTACK}),
    ],
)
def test_lazy_exports_reach_their_module_only_when_asked_for(step, expected):
    assert reached(step, LAZY_NET) == expected
    assert dynamic(step, LAZY_NET) == []


def test_a_lazy_export_is_followed_through_other_modules_and_into_packages():
    files = {**LAZY_NET, "src/other.py": "import net as handed_on\n"}
    step = "from other import handed_on\nhanded_on.load_model()"
    assert MODELS in reached(step, files)
    package = LAZY.replace('".attack.lbfgs"', '"net.attack"')
    files = {**LAZY_NET, INIT: package, "src/net/attack/__init__.py": LAZY}
    assert "src/net/attack/__init__.py" in reached("from net import attack", files)


def test_a_name_only_mentioned_is_not_taken_for_bound():
    package = f"{LAZY}\nif False:\n    load\n"
    with pytest.raises(CodeDigestError, match=r"`net\.load`"):
        reached("from net import load", {**LAZY_NET, INIT: package})


@pytest.mark.parametrize(
    "step", ["from net import nothing", "import net\nnet.nothing()"]
)
def test_a_lazy_export_of_unknown_origin_is_refused(step):
    with pytest.raises(CodeDigestError, match=r"step.py:\d: .*`net.nothing`.*lazily"):
        reached(step, LAZY_NET)


SUBMODULES = LAZY.replace(
    'raise AttributeError(f"no {name}")',
    'return importlib.import_module(f"{__name__}.{name}")',
)


@pytest.mark.parametrize(
    "step", ["from net import load_model", "import net as n\nf(n)"]
)
def test_a_getattr_may_also_import_submodules_of_its_package(step):
    assert MODELS in reached(step, {**LAZY_NET, INIT: SUBMODULES})
    shapes = reached("import net\nnet.shapes.f()", {**LAZY_NET, INIT: SUBMODULES})
    assert shapes == {"src/net/__init__.py", "src/net/shapes.py"}


UNCLEAR = [
    SUBMODULES.replace("}.{name}", "}.own_{name}"),
    LAZY.replace("_EXPORTS[name]", "{'load_model': 'net.models'}[name]"),
    LAZY.replace("_EXPORTS[name], __name__", "f'net.{_EXPORTS[name]}'"),
    LAZY.replace("_EXPORTS[name], __name__", "'.' + _EXPORTS[name], __name__"),
    LAZY.replace("_EXPORTS = {", "_EXPORTS = make() or {"),
    "from lazy_loader import attach\n__getattr__, *_ = attach(__name__)\n",
    "from tools import __getattr__\n",
]


@pytest.mark.parametrize("package", UNCLEAR)
@pytest.mark.parametrize(
    "step", ["from net import load_model", "from net import *", "import net as n\nf(n)"]
)
def test_a_package_that_exports_in_other_ways_is_refused_once_asked(package, step):
    files = {**LAZY_NET, INIT: package}
    assert MODELS in reached("from net.models import load_model", files)
    with pytest.raises(CodeDigestError, match="lazily; import it from the module"):
        reached(step, files)


def test_a_getattr_that_imports_by_statements_needs_no_table():
    package = "def __getattr__(name):\n    from .models import load_model\n    return 1"
    assert MODELS in reached("from net import anything", {**LAZY_NET, INIT: package})


# What the digest cannot see


@pytest.mark.parametrize(
    "line",
    [
        "importlib.import_module(name)",
        "importlib.import_module('.b')",
        "importlib.import_module(f'net.{name}')",
        "import_module(name)",
        "load(name)",
        "map(import_module, names)",
        "load = importlib.import_module",
        "__import__(name)",
        "__import__('net', {}, {}, names)",
        "getattr(importlib, 'import_module')(name)",
        "exec(text)",
        "eval(text)",
        "sys.path.append('elsewhere')",
        "runpy.run_path('other.py')",
        "importlib.util.spec_from_file_location('a', path)",
    ],
)
def test_loading_under_computed_names_is_reported_with_a_warning(line, caplog):
    step = "import importlib.util, runpy, sys\n"
    step += f"from importlib import import_module, import_module as load\n{line}\n"
    files = {**NET, "scripts/step.py": step}
    assert dynamic(step, NET) == ["scripts/step.py:3"]
    digest(files)
    [warning] = caplog.messages
    assert "step.py:3: " in warning
    assert "DIGESTED_MODULES" in warning


def test_a_declaration_of_modules_answers_the_warning():
    step = "DIGESTED_MODULES = ('net.unused',)\n__import__(name)\n"
    assert dynamic(step, NET) == []
    assert "src/net/unused.py" in reached(step, NET)


@pytest.mark.parametrize(
    "line", ["model.eval()", "frame.eval('a + b')", "import importlib", "load(name)"]
)
def test_code_that_loads_nothing_is_not_reported(line):
    assert dynamic(line, NET) == []


# Files that a module reads


@pytest.mark.parametrize(
    "line",
    [
        "text = (Path(__file__).parent / 'x').read_text()",
        "import net\nnet.__file__",
        "from importlib import resources\nresources.files('net')",
        "from importlib.resources import files\nfiles('net')",
        "import importlib.resources\nimportlib.resources.files('net')",
        "import pkgutil\npkgutil.get_data('net', 'x')",
    ],
)
def test_asking_for_undeclared_files_is_refused_with_place_and_remedy(line):
    at = line.count("\n") + 1
    with pytest.raises(CodeDigestError, match=f"step.py:{at}: .*DIGESTED_FILES"):
        digest({**NET, "scripts/step.py": line})
    # The last of several declarations holds.
    declared = "DIGESTED_FILES = ('absent',)\nDIGESTED_FILES: tuple = ()"
    digest({**NET, "scripts/step.py": f"{declared}\n{line}"})


def test_declared_files_count_and_an_absent_one_is_named():
    files = {**NET, "src/net/layers.py": "DIGESTED_FILES = ('a.tsv', 'in/b.tsv')\n"}
    files |= {"src/net/a.tsv": "1", "src/net/in/b.tsv": "2", "src/net/c.tsv": "3"}
    same = {name: digest({**files, name: "4"}) == digest(files) for name in files}
    assert not same["src/net/a.tsv"] and not same["src/net/in/b.tsv"]
    assert same["src/net/c.tsv"]
    swapped = files | {"src/net/a.tsv": "2", "src/net/in/b.tsv": "1"}
    assert digest(swapped) != digest(files)
    step = "DIGESTED_FILES = ('published.tsv',)\n"
    with pytest.raises(CodeDigestError, match=r"step.py: .*published.tsv: No such"):
        digest({"scripts/step.py": step})


@pytest.mark.parametrize("value", ["'published.tsv'", "tuple(names)", "(1, 2)"])
@pytest.mark.parametrize("name", ["DIGESTED_FILES", "DIGESTED_MODULES"])
def test_a_declaration_that_cannot_be_read_is_refused(name, value):
    with pytest.raises(CodeDigestError, match=f"step.py:2: write {name} as a plain"):
        digest({"scripts/step.py": f"\n{name} = {value}\n"})


# Bad input


@pytest.mark.parametrize("text", ["x = 1\ny = (\n", "x = 1\ny =\n", "x = 1\n  y = 2"])
def test_a_syntax_error_is_one_line_with_file_and_line(text):
    with pytest.raises(CodeDigestError, match=r"layers.py:2: .+") as caught:
        digest({**NET, "src/net/layers.py": text})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["x = 1\x00", "# coding: none\n"])
def test_a_file_that_is_not_python_text_is_named(text):
    with pytest.raises(CodeDigestError, match=r"step.py:\d+: "):
        digest({"scripts/step.py": text})


def test_a_missing_script_or_root_is_named():
    with checkout(NET) as (step, roots):
        with pytest.raises(CodeDigestError, match=r"none.py: No such file"):
            code_digest(step.with_name("none.py"), roots)
        with pytest.raises(CodeDigestError, match=r"sources: no such folder"):
            code_digest(step, [step.parents[1] / "sources"])


def test_a_relative_import_out_of_the_roots_is_refused():
    with pytest.raises(CodeDigestError, match=r"a.py:1: relative import leads out"):
        reached("import a", {"src/a.py": "from ..b import c\n"})


# Other Pythons, other projects


AWKWARD = r"""
def f(x, /, *args, y=(1,), **more) -> None: ...
class A(dict): x: int
g = lambda: f'{A!r:>{f}.{f}}{x=:}' + f"{'é'}" + u'\U0001fae8\ud800' + b'\xff'
h = 1e999 + 2j + 10**40 + ... + 0xFF
async def k(): return [await v async for v in {**A}]
try: del h
except* OSError as e: raise ValueError from e
match f:
    case {"a": [1, *_], **rest} | None: pass
"""
ASK = """
import sys
from pathlib import Path
from {module} import code_digest
print(code_digest(Path(sys.argv[1]), [Path(a) for a in sys.argv[2:]]))
"""


def pythons() -> list[str]:
    """Return the interpreters on this machine, this one first."""
    found = [path for k in range(11, 16) if (path := shutil.which(f"python3.{k}"))]
    works = [subprocess.run([p, "-c", ""], capture_output=True) for p in found]
    runs = zip(found, works, strict=True)
    return [sys.executable, *(path for path, done in runs if not done.returncode)]


def test_a_copied_digest_gives_the_same_under_every_python_found(tmp_path):
    shutil.copytree(Path(content_reruns.__file__).parent, tmp_path / "copied")
    files = {**NET, "src/net/layers.py": AWKWARD}
    with checkout(files) as (step, roots):
        expected = code_digest(step, roots)
        ask = ASK.format(module="copied")
        for number, python in enumerate(pythons()):
            answer = subprocess.run(
                [python, "-S", "-c", ask, step, *roots],
                env=os.environ
                | {"PYTHONPATH": f"{tmp_path}", "PYTHONHASHSEED": f"{number}"},
                capture_output=True,
                check=True,
                text=True,
            )
            assert (python, answer.stdout.strip()) == (python, expected)


def test_the_digest_has_not_changed_since_it_was_released():
    # A stored number for once: a digest that changes with Python's version, or with
    # an edit of the digest itself, reruns every workflow that uses it.
    assert digest({**NET, "src/net/layers.py": AWKWARD}) == "48cd1a58acfe6fea"
